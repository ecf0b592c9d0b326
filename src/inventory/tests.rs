use std::collections::BTreeMap;
use std::io::Cursor;

use super::*;
use crate::model::{CoverageStatus, Scope};
use crate::testing;

fn header() -> Header {
    Header {
        schema: SCHEMA.to_owned(),
        tool: "imdsctl".to_owned(),
        version: "0.0.0".to_owned(),
        holds: Needs::ALL,
    }
}

fn reading() -> Reading {
    let at = Timestamp::UNIX_EPOCH;
    let (api_calls, api_throttled) = (BTreeMap::from([("eks:ListClusters".to_owned(), 2)]), 0);
    Reading { started_at: at, finished_at: at, api_calls, api_throttled, interrupted: false }
}

fn inventory(region: &str) -> Inventory {
    let mut inventory = testing::inventory();
    inventory.scope.region = region.into();
    inventory.coverage.region = region.into();
    inventory
}

fn saved(order: &[&str]) -> String {
    String::from_utf8(written(order, false)).unwrap()
}

fn written(order: &[&str], compressed: bool) -> Vec<u8> {
    let mut writer = Writer::new(Cursor::new(Vec::new()), compressed);
    let scope = Scope { region: "me-south-1".into(), ..testing::inventory().scope };
    writer.unread(&Coverage::skipped(&scope, "the Region is not enabled")).unwrap();
    for region in order {
        writer.inventory(&inventory(region)).unwrap();
    }
    let mut file = Vec::new();
    writer.finish(&header(), reading(), &mut file).unwrap();
    file
}

fn read(file: &(impl AsRef<[u8]> + ?Sized)) -> Result<Vec<Line>, ReadError> {
    // As little at a time as a pipe may give.
    let mut reader = Reader::new(std::io::BufReader::with_capacity(3, file.as_ref()))?;
    let mut lines = Vec::new();
    loop {
        let line = reader.next_line()?;
        let last = matches!(line, Line::End(_));
        lines.push(line);
        if last {
            return Ok(lines);
        }
    }
}

#[test]
fn what_is_saved_is_what_is_read() {
    let file = saved(&["eu-west-1", "us-east-1"]);
    assert!(file.starts_with(r#"{"schema":"imdsctl.inventory/v1","#), "{file}");
    let lines = read(&file).unwrap();
    assert_eq!(lines[0], Line::Inventory(Box::new(inventory("eu-west-1"))));
    let Line::Unread(skipped) = &lines[1] else { panic!("{:?}", lines[1]) };
    assert_eq!((skipped.region.as_str(), skipped.status), ("me-south-1", CoverageStatus::Skipped));
    assert_eq!(lines[2], Line::Inventory(Box::new(inventory("us-east-1"))));
    assert_eq!(lines[3], Line::End(End { scopes: 3, reading: reading() }));
}

#[test]
fn the_order_in_which_inventories_came_does_not_show() {
    assert_eq!(saved(&["eu-west-1", "us-east-1"]), saved(&["us-east-1", "eu-west-1"]));
}

#[test]
fn a_file_that_breaks_off_anywhere_is_incomplete() {
    let file = saved(&["eu-west-1"]);
    let header = file.find('\n').unwrap() + 1;
    for length in header..file.len() - 1 {
        let error = read(&file[..length]).unwrap_err();
        assert!(matches!(error, ReadError::Incomplete(_)), "{length}: {error}");
    }
    // Only the newline of the last line is missing.
    assert!(read(&file[..file.len() - 1]).is_ok());
}

#[test]
fn a_file_that_lost_a_line_is_incomplete() {
    let file = saved(&["eu-west-1"]);
    let without: Vec<_> = file.lines().filter(|line| !line.contains("me-south-1")).collect();
    let error = read(&without.join("\n")).unwrap_err();
    assert!(matches!(error, ReadError::Incomplete(_)), "{error}");
    assert_eq!(error.to_string(), "it was saved with 2 scopes and holds 1: lines are missing");
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let file = saved(&["eu-west-1"]);
    let twice = file.replacen("me-south-1", "eu-west-1", 1);
    let longer = format!("{file}{{}}\n");
    let broken = file.replacen("\"unread\"", "\"unknown\"", 1);
    for (file, line, said) in [
        (twice, 3, "account 111122223333 in eu-west-1 is there twice"),
        (longer, 5, "there is something behind the last line of the inventory"),
        (broken, 3, "unknown variant `unknown`, expected one of `inventory`, `unread`, `end`"),
    ] {
        match read(&file).unwrap_err() {
            ReadError::Line { line: at, message, .. } => assert_eq!((at, message.as_str()), (line, said)),
            other => panic!("{other}"),
        }
    }
}

#[test]
fn what_is_no_inventory_is_not_taken_for_one() {
    for (text, said) in [
        ("", "its first line does not say"),
        ("{\n", "its first line does not say"),
        ("\u{0}\n", "its first line does not say"),
        (r#"{"schema":"imdsctl.report/v1"}"#, r#"not an inventory, but of schema "imdsctl.report/v1""#),
        (r#"{"schema":"imdsctl.inventory/v2"}"#, r#"an inventory of schema "imdsctl.inventory/v2""#),
    ] {
        let error = read(text).unwrap_err();
        assert!(matches!(error, ReadError::NotAnInventory(_)), "{error}");
        assert!(error.to_string().contains(said), "{error}");
    }
    let long = "x".repeat(1 << 20);
    assert!(matches!(read(&long), Err(ReadError::NotAnInventory(_))));
}

#[test]
fn what_is_compressed_is_read_as_what_is_not() {
    let regions = &["eu-west-1", "us-east-1"];
    let (plain, compressed) = (written(regions, false), written(regions, true));
    assert!(compressed.len() < plain.len() / 2, "{} of {}", compressed.len(), plain.len());
    assert_eq!(compressed, written(&["us-east-1", "eu-west-1"], true));
    assert_eq!(read(&compressed).unwrap(), read(&plain).unwrap());
    // As any zstd writes it: in one frame, or behind one that is to be skipped.
    let whole = zstd::encode_all(&plain[..], 19).unwrap();
    assert_eq!(read(&whole).unwrap(), read(&plain).unwrap());
    let skipped = [&[0x51, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 7, 7], &whole[..]].concat();
    assert_eq!(read(&skipped).unwrap(), read(&plain).unwrap());
}

#[test]
fn a_compressed_file_that_breaks_off_anywhere_is_incomplete() {
    let compressed = written(&["eu-west-1"], true);
    for length in 4..compressed.len() {
        let error = read(&compressed[..length]).unwrap_err();
        assert!(matches!(error, ReadError::Incomplete(_)), "{length}: {error}");
    }
}

#[test]
fn a_compressed_file_that_is_damaged_anywhere_is_not_judged() {
    let compressed = written(&["eu-west-1"], true);
    for at in 4..compressed.len() {
        let mut damaged = compressed.clone();
        damaged[at] ^= 0x10;
        match read(&damaged) {
            Err(ReadError::Incomplete(_)) => {}
            // A bit of a frame that means nothing.
            Ok(lines) => assert_eq!(lines, read(&compressed).unwrap(), "{at}"),
            Err(error) => panic!("{at}: {error}"),
        }
    }
    let longer = [&compressed[..], b"more"].concat();
    assert!(matches!(read(&longer), Err(ReadError::Incomplete(_))));
}
