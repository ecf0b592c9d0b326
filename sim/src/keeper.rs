//! Keeps the world: who reads it sees all of a write or nothing of it, and with a state file a write is in the file
//! before anyone hears that it succeeded.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use crate::fleet::schema::Settings;
use crate::progress::{self, Scene, Thing};
use crate::state::{StateError, StateFile};
use crate::world::{Region, World};

/// The world, and where it is kept.
#[derive(Debug)]
pub struct Keeper {
    world: RwLock<World>,
    /// Whoever holds it is the only one who changes anything.
    turn: Mutex<()>,
    file: Option<StateFile>,
}

/// Whoever has it is the only one who changes anything, from looking at what is there to having changed it.
#[derive(Debug)]
pub struct Turn<'k>(#[expect(dead_code, reason = "held, not used")] MutexGuard<'k, ()>);

impl Keeper {
    /// Keeps a world, in a file if there is one.
    pub fn new(world: World, file: Option<StateFile>) -> Self {
        Self { world: RwLock::new(world), turn: Mutex::default(), file }
    }

    /// The world as it is now. Nobody changes it while it is looked at.
    pub fn world(&self) -> RwLockReadGuard<'_, World> {
        self.world.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until nobody else is about to change anything.
    pub fn turn(&self) -> Turn<'_> {
        Turn(self.turn.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts a changed Region in the place of the one that is there. Where that cannot be written to the file nothing
    /// has changed.
    pub fn keep(
        &self,
        _turn: &Turn<'_>,
        account: &str,
        region: &str,
        changed: Region,
    ) -> Result<(), StateError> {
        let mut world = self.world.write().unwrap_or_else(PoisonError::into_inner);
        let Some(place) = region_of(&mut world, account, region) else { return Ok(()) };
        let before = std::mem::replace(place, changed);
        world.now += 1;
        let Some(Err(error)) = self.file.as_ref().map(|file| file.save(&world)) else { return Ok(()) };
        world.now -= 1;
        if let Some(place) = region_of(&mut world, account, region) {
            *place = before;
        }
        Err(error)
    }

    /// Things that are in progress in a Region have been looked at.
    pub fn look(
        &self,
        account: &str,
        region_name: &str,
        settings: &Settings,
        seen: &BTreeSet<Thing>,
    ) -> Result<(), StateError> {
        let turn = self.turn();
        let world = self.world();
        let Some(account) = world.accounts.get(account) else { return Ok(()) };
        let Some(mut region) = account.regions.get(region_name).cloned() else { return Ok(()) };
        let scene = Scene { settings, now: world.now };
        for thing in seen {
            progress::look(scene, &mut region, thing);
        }
        let account = account.id.clone();
        drop(world);
        self.keep(&turn, &account, region_name, region)
    }
}

fn region_of<'w>(world: &'w mut World, account: &str, region: &str) -> Option<&'w mut Region> {
    world.accounts.get_mut(account)?.regions.get_mut(region)
}
