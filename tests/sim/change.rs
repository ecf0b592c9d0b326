//! Changing an account, through the library: what a session may do, what a rehearsal leaves behind, and what is never
//! written.

use imdsctl::aws::{
    Account, Aws, Base, Changer, ConnectSettings, ErrorKind, NewVersion, NodeGroupUpdate, Permit,
    ReadingsAsked, Refresh, Rehearsal, Repointed, Role, StaticEndpoint, Task, Timeouts, Write,
};
use imdsctl::model::{
    Asked, GroupLaunch, Inventory, MetadataOptions, OptionValue, Read, Scope, TemplateId, VersionRef,
};

use imdsctl_sim::{Fault, FaultKind};

use crate::cloud::{Cloud, operation};
use crate::program::Program;
use crate::raw::Raw;

const ROLE: &str = "arn:aws:iam::222222222222:role/ImdsctlRemediate";

/// An organization whose member has a template of its own in a group, and a managed node group.
fn fleet() -> Cloud {
    fleet_with("looks_per_stage: 0")
}

/// The same, with settings of the simulated AWS.
fn fleet_with(settings: &str) -> Cloud {
    let print = |line: &str| Program::new().line(line).run().code(0).stdout;
    let policy: serde_json::Value = serde_json::from_str(&print("iam-policy remediate")).unwrap();
    Cloud::start(&format!(
        r#"
name: change
settings: {{ {settings} }}
organizations: [{{ id: o-exampleorg1, management_account: "111111111111" }}]
roles:
  - {{ name: ImdsctlAudit }}
  - {{ name: ImdsctlRemediate, permissions: {{ policy: {policy} }} }}
accounts:
  - {{ id: "111111111111", name: management, access_keys: [{{ id: AKIATESTTESTTEST0001 }}] }}
  - id: "222222222222"
    name: member
    regions:
      - names: [eu-west-1]
        launch_templates:
          - name: own
            default_version: 1
            versions: [{{ image: al2023-1.33, metadata_options: {{ http_tokens: optional }} }}, {{ image: al2023-1.33 }}]
          - {{ name: plain, versions: [{{ metadata_options: {{ hop_limit: 1 }} }}, {{ metadata_options: {{ hop_limit: 2 }} }}], default_version: 1 }}
          - {{ name: other, versions: [{{ image: al2023-1.33 }}, {{ image: al2023-1.33 }}] }}
        fleets: [{{ name: batch, templates: [{{ name: other, version: $Latest }}] }}, {{ name: gone, state: deleted, templates: [{{ name: other }}] }}]
        spot_fleets: [{{ name: spot, templates: [{{ name: own, version: "1" }}] }}]
        calls_without_token: [{{ tags: {{ "eks:nodegroup-name": apps }}, per_hour: 3 }}]
        clusters:
          - name: blue
            node_groups:
              - {{ name: apps, nodes: 1 }}
              - {{ name: web, nodes: 1, template: {{ name: plain, version: "1" }} }}
            self_managed: [{{ name: nodes, template: {{ name: own, version: "1" }}, nodes: 1 }}]
"#
    ))
}

struct Member<'a> {
    cloud: &'a Cloud,
    base: Base,
    reading: Account,
    scope: Scope,
    inventory: Inventory,
}

impl<'a> Member<'a> {
    async fn of(cloud: &'a Cloud) -> Self {
        let endpoint = StaticEndpoint {
            url: cloud.url(),
            access_key: cloud.keys()[0].id.clone(),
            secret_key: "test".to_owned(),
        };
        let settings = ConnectSettings {
            region_hint: Some("eu-west-1".into()),
            endpoint: Some(endpoint),
            ..ConnectSettings::default()
        };
        let base = Aws::new(Timeouts::default(), Task::Plan).connect(&settings).await.unwrap();
        let audit = role("arn:aws:iam::222222222222:role/ImdsctlAudit");
        let reading = base.assume(&audit, &"us-east-1".into()).await.unwrap();
        let scope = reading.scope(&"eu-west-1".into());
        let inventory = reading.collect(&scope, &Asked::default()).await;
        assert!(inventory.coverage.errors.is_empty(), "{:?}", inventory.coverage.errors);
        Self { cloud, base, reading, scope, inventory }
    }

    async fn changer(&self, permitted: &[Write<'_>]) -> Changer {
        let mut permit = Permit::default();
        for write in permitted {
            permit.add(&self.scope, *write);
        }
        let opened = self.base.assume_to_change(&role(ROLE), &"us-east-1".into(), &permit).await;
        let (account, narrowing) = opened.unwrap();
        assert!(narrowing.is_exact());
        account.changer(&self.scope).unwrap()
    }

    fn template(&self, name: &str) -> TemplateId {
        let mut templates = self.inventory.launch_templates.values();
        templates.find(|template| template.name == name).unwrap().id.clone()
    }

    /// The template that EKS made for the node group.
    fn copy(&self) -> TemplateId {
        let mut templates = self.inventory.launch_templates.values();
        templates.find(|template| template.tags.node_group() == Some("apps")).unwrap().id.clone()
    }

    /// The group that EKS made for the node group.
    fn managed_group(&self) -> String {
        self.inventory.node_groups[0].auto_scaling_groups[0].clone()
    }

    /// What was sent that changes something, and was no dry run.
    fn changes(&self) -> Vec<String> {
        let requests = self.cloud.requests().into_iter();
        requests.filter(|one| one.mutating && !one.dry_run).map(|one| operation(&one)).collect()
    }
}

/// Runs a future to its end. The simulated AWS has a runtime of its own.
fn run(future: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future);
}

fn role(arn: &str) -> Role {
    Role {
        partition: "aws".into(),
        account_id: "222222222222".into(),
        arn: arn.into(),
        external_id: None,
        session_name: "imdsctl".to_owned(),
    }
}

fn repointed(template: &TemplateId, from: i64, to: i64) -> Repointed {
    let (from, to) = (VersionRef::Number(from), VersionRef::Number(to));
    Repointed { template: template.clone(), from, to }
}

#[test]
fn a_session_changes_what_it_is_permitted_to_and_nothing_else() {
    let cloud = fleet();
    run(async {
        let member = Member::of(&cloud).await;
        let (own, other) = (member.template("own"), member.template("other"));
        let changer = member.changer(&[Write::SetDefault(&own)]).await;
        changer.set_default(&own, 2).await.unwrap();
        assert_eq!(changer.template(&own).await.unwrap().default_version, 2);

        // The role may, its session may not.
        let denied = changer.set_default(&other, 2).await.unwrap_err();
        assert_eq!(denied.kind, ErrorKind::AccessDenied, "{denied}");
        let denied = changer.update_group("nodes", &[repointed(&own, 1, 2)]).await.unwrap_err();
        assert_eq!(denied.kind, ErrorKind::AccessDenied, "{denied}");
        let wider = member.changer(&[Write::SetDefault(&other)]).await;
        wider.set_default(&other, 2).await.unwrap();

        let session = member.reading.changer(&member.scope).unwrap_err();
        assert!(session.to_string().contains("--remediate-role"), "{session}");
    });
}

#[test]
fn the_printed_policy_is_enough_for_every_change() {
    let cloud = fleet();
    run(async {
        let member = Member::of(&cloud).await;
        let own = member.template("own");
        let instance = member.inventory.instances[0].id.clone();
        let changer = member
            .changer(&[
                Write::SetDefault(&own),
                Write::UpdateGroup("nodes"),
                Write::StartRefresh("nodes"),
                Write::ModifyInstance(&instance),
                Write::ModifyDefaults,
            ])
            .await;
        let options = MetadataOptions {
            http_tokens: Some(OptionValue::Required),
            http_put_response_hop_limit: Some(OptionValue::Number(2)),
            http_endpoint: Some(OptionValue::Enabled),
            ..MetadataOptions::default()
        };
        changer.set_default(&own, 2).await.unwrap();
        changer.modify_instance(&instance, &options).await.unwrap();
        let now = changer.instance(&instance).await.unwrap().unwrap();
        assert_eq!(now.metadata.http_put_response_hop_limit, Some(OptionValue::Number(2)));
        let defaults = MetadataOptions { http_endpoint: None, ..options };
        changer.modify_defaults(&defaults, &[]).await.unwrap();
        assert_eq!(changer.defaults().await.unwrap().metadata, defaults);
        changer.update_group("nodes", &[repointed(&own, 1, 2)]).await.unwrap();
        let refresh = Refresh {
            group: "nodes".to_owned(),
            repointed: Vec::new(),
            min_healthy_percentage: 90,
            auto_rollback: true,
        };
        let id = changer.start_refresh(&refresh).await.unwrap();
        assert_eq!(changer.refreshes("nodes").await.unwrap()[0].id, id);
        let errors: Vec<_> = cloud.requests().into_iter().filter_map(|request| request.error_code).collect();
        assert_eq!(errors, [""; 0]);
    });
}

#[test]
fn a_rehearsal_changes_nothing_and_tells_who_may() {
    let cloud = fleet();
    run(async {
        let member = Member::of(&cloud).await;
        let (own, other) = (member.template("own"), member.template("other"));
        let changer = member.changer(&[Write::SetDefault(&own), Write::ModifyDefaults]).await;
        assert_eq!(changer.rehearse_set_default(&own, 2).await, Rehearsal::Allowed);
        let defaults =
            MetadataOptions { http_tokens: Some(OptionValue::Required), ..MetadataOptions::default() };
        assert_eq!(changer.rehearse_modify_defaults(&defaults, &[]).await, Rehearsal::Allowed);
        assert!(matches!(changer.rehearse_set_default(&other, 2).await, Rehearsal::Denied { .. }));
        assert_eq!(member.changes(), [""; 0]);
        assert!(cloud.requests().iter().all(|request| !request.changed));
        assert_eq!(changer.template(&own).await.unwrap().default_version, 1);
    });
}

#[test]
fn what_belongs_to_eks_is_refused_before_anything_is_sent() {
    let cloud = fleet();
    run(async {
        let member = Member::of(&cloud).await;
        let (copy, group) = (member.copy(), member.managed_group());
        let permitted = [Write::SetDefault(&copy), Write::UpdateGroup(&group), Write::StartRefresh(&group)];
        let changer = member.changer(&permitted).await;
        let refresh = Refresh {
            group: group.clone(),
            repointed: Vec::new(),
            min_healthy_percentage: 90,
            auto_rollback: true,
        };
        for error in [
            changer.set_default(&copy, 1).await.unwrap_err(),
            changer.update_group(&group, &[repointed(&copy, 1, 1)]).await.unwrap_err(),
            changer.update_group(&group, &[]).await.unwrap_err(),
            changer.start_refresh(&refresh).await.unwrap_err(),
        ] {
            assert_eq!(error.kind, ErrorKind::NotOurs, "{error}");
        }
        assert_eq!(member.changes(), [""; 0]);
        // And if imdsctl did: the printed policy denies it.
        let raw = Raw { url: cloud.url(), access_key: cloud.keys()[0].id.clone(), token: None };
        let all = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
        let session = raw.assume(ROLE, all);
        let form = format!("Action=ModifyLaunchTemplate&LaunchTemplateId={copy}&SetDefaultVersion=1");
        assert_eq!(session.query("ec2", "2016-11-15", &form).0, 403);
        let own = member.template("own");
        let form = format!("Action=ModifyLaunchTemplate&LaunchTemplateId={own}&SetDefaultVersion=2");
        assert_eq!(session.query("ec2", "2016-11-15", &form).0, 200);
    });
}

/// Also where the answer is lost: the token is the same.
#[test]
fn a_node_group_takes_a_version_once_and_stays_at_its_release() {
    let cloud = fleet();
    run(async {
        let member = Member::of(&cloud).await;
        let plain = member.template("plain");
        let changer = member.changer(&[Write::UpdateNodeGroup("blue", "web")]).await;
        let before = changer.node_group("blue", "web").await.unwrap();
        assert_eq!(before.template.as_ref().unwrap().version, VersionRef::Number(1));
        let update = NodeGroupUpdate {
            cluster: "blue".to_owned(),
            node_group: "web".to_owned(),
            template: plain.clone(),
            version: 2,
            pin: before.version.clone().zip(before.release_version.clone()),
            force: false,
            client_token: "token-1".to_owned(),
        };
        let unpinned = NodeGroupUpdate { pin: None, ..update.clone() };
        assert_eq!(changer.update_node_group(&unpinned).await.unwrap_err().kind, ErrorKind::Changed);
        assert_eq!(member.changes(), [""; 0]);

        let lost = Fault::new("eks:UpdateNodegroupVersion", FaultKind::Reset).taking_effect().times(1);
        cloud.set_faults(&[lost]);
        let id = changer.update_node_group(&update).await.unwrap();
        let updates = changer.updates("blue", "web").await.unwrap();
        assert_eq!(updates.iter().map(|update| &update.id).collect::<Vec<_>>(), [&id]);
        assert_eq!(updates[0].template_version, Some(2));
        while changer.update("blue", "web", &id).await.unwrap().status == "InProgress" {}
        let after = changer.node_group("blue", "web").await.unwrap();
        assert_eq!(after.template.unwrap().version, VersionRef::Number(2));
        assert_eq!((after.release_version, after.status.as_str()), (before.release_version, "ACTIVE"));
    });
}

#[test]
fn a_refresh_whose_answer_is_lost_is_found_and_not_started_again() {
    let cloud = fleet();
    run(async {
        let member = Member::of(&cloud).await;
        let own = member.template("own");
        let changer = member.changer(&[Write::StartRefresh("nodes")]).await;
        let lost = Fault::new("autoscaling:StartInstanceRefresh", FaultKind::Reset).taking_effect().times(1);
        cloud.set_faults(&[lost]);
        let refresh = Refresh {
            group: "nodes".to_owned(),
            repointed: vec![repointed(&own, 1, 2)],
            min_healthy_percentage: 90,
            auto_rollback: true,
        };
        let error = changer.start_refresh(&refresh).await.unwrap_err();
        assert!(error.is_uncertain(), "{error}");
        assert_eq!(member.changes(), ["autoscaling:StartInstanceRefresh"]);
        let refreshes = changer.refreshes("nodes").await.unwrap();
        let [found] = &refreshes[..] else { panic!("{refreshes:?}") };
        let GroupLaunch::Template(desired) = &found.desired else { panic!("{found:?}") };
        assert_eq!((desired.id.as_ref(), desired.version), (Some(&own), VersionRef::Number(2)));
    });
}

#[test]
fn a_group_that_has_moved_on_is_left_alone() {
    let cloud = fleet();
    run(async {
        let member = Member::of(&cloud).await;
        let own = member.template("own");
        let changer = member.changer(&[Write::UpdateGroup("nodes")]).await;
        let error = changer.update_group("nodes", &[repointed(&own, 2, 1)]).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Changed, "{error}");
        assert_eq!(member.changes(), [""; 0]);
    });
}

/// Whatever EC2 does to a block that is sent in part, and even if its answer is lost.
#[test]
fn a_version_is_its_source_but_for_its_options_and_is_made_once() {
    for overlay in ["replace", "merge"] {
        let cloud = fleet_with(&format!("metadata_options_overlay: {overlay}"));
        run(async {
            let member = Member::of(&cloud).await;
            let own = member.template("own");
            let changer = member.changer(&[Write::CreateVersion(&own), Write::DeleteVersion(&own)]).await;
            let source = with_a_snapshot(&cloud, &own);
            let from = changer.version(&own, source).await.unwrap();
            let metadata = MetadataOptions { http_tokens: Some(OptionValue::Required), ..from.metadata };
            let new = NewVersion {
                template: own.clone(),
                source,
                metadata,
                description: "imdsctl".to_owned(),
                client_token: "token-1".to_owned(),
            };
            let lost = Fault::new("ec2:CreateLaunchTemplateVersion", FaultKind::InternalError)
                .taking_effect()
                .times(1);
            cloud.set_faults(&[lost]);
            let made = changer.create_version(&new).await.unwrap();
            assert_eq!((made.number, made.warnings.len()), (source + 1, 0));
            assert_eq!(changer.create_version(&new).await.unwrap(), made, "the same token");
            let version = changer.version(&own, made.number).await.unwrap();
            assert_eq!(version.metadata, metadata);
            assert_eq!(version.rest.differences(&from.rest), [""; 0]);
            assert_eq!(changer.template(&own).await.unwrap().latest_version, made.number);
            let later = changer.versions_since(&own, source).await.unwrap();
            assert_eq!(later.iter().map(|version| version.number).collect::<Vec<_>>(), [made.number]);

            let other = NewVersion { description: "other".to_owned(), ..new };
            assert_eq!(changer.create_version(&other).await.unwrap_err().kind, ErrorKind::TokenReused);
            changer.delete_version(&own, made.number).await.unwrap();
            changer.delete_version(&own, made.number).await.unwrap();
            assert_eq!(changer.version(&own, made.number).await.unwrap_err().kind, ErrorKind::NotFound);
        });
    }
}

/// Makes a version with a volume from a snapshot, past imdsctl, and says its number.
fn with_a_snapshot(cloud: &Cloud, template: &TemplateId) -> i64 {
    let raw = Raw { url: cloud.url(), access_key: cloud.keys()[0].id.clone(), token: None };
    let all = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    let device = "LaunchTemplateData.BlockDeviceMapping.1";
    let form = format!(
        "Action=CreateLaunchTemplateVersion&LaunchTemplateId={template}&SourceVersion=1&{device}.DeviceName=/dev/xvda\
         &{device}.Ebs.SnapshotId=snap-1&{device}.Ebs.VolumeSize=40&LaunchTemplateData.MetadataOptions.HttpTokens=optional\
         &LaunchTemplateData.MetadataOptions.HttpEndpoint=enabled"
    );
    let (status, answer) = raw.assume(ROLE, all).query("ec2", "2016-11-15", &form);
    assert_eq!(status, 200, "{answer}");
    3
}

#[test]
fn what_a_plan_has_to_know_is_read() {
    let cloud = fleet();
    run(async {
        let member = Member::of(&cloud).await;
        let nodes = &member.inventory.instances;
        let asked = ReadingsAsked {
            groups: vec!["nodes".to_owned(), "gone".to_owned()],
            instances: nodes
                .iter()
                .map(|node| node.id.clone())
                .chain(["i-00000000000000000".into()])
                .collect(),
            now: jiff::Timestamp::now(),
        };
        let readings = member.reading.readings(&member.scope, &asked).await;
        let fleets = readings.fleets.known().unwrap();
        let templates: Vec<_> = fleets.iter().flat_map(|fleet| &fleet.templates).collect();
        assert_eq!(fleets.len(), 2, "not the one that is deleted: {fleets:?}");
        assert!(
            templates
                .iter()
                .any(|one| one.id == Some(member.template("other")) && one.version == VersionRef::Latest)
        );
        assert!(
            templates
                .iter()
                .any(|one| one.id == Some(member.template("own")) && one.version == VersionRef::Number(1))
        );
        assert_eq!(readings.termination_hooks["nodes"], Read::Known(false));
        for node in nodes {
            let used = readings.token_use[&node.id].known().unwrap();
            let calls = node.tags.node_group() == Some("apps");
            assert_eq!(used.without_token + used.rejected > 0, calls, "{}: {used:?}", node.id);
        }
        assert_eq!(readings.token_use[&"i-00000000000000000".into()], Read::Failed, "nobody watched it");
        let sent: Vec<_> = cloud.requests().iter().map(operation).collect();
        assert_eq!(sent.iter().filter(|name| *name == "cloudwatch:GetMetricData").count(), 1);
    });
}

/// The command, from the role that reads to the role that changes.
#[test]
fn a_plan_is_carried_out_by_the_role_for_it_and_by_no_other() {
    let cloud = fleet();
    let line = "remediate --yes --org --region eu-west-1 --set-default --rollout --accept-imdsv1-callers \
                --accept-no-drain --poll-interval 0";
    let refused = cloud.imdsctl(line).run().code(2);
    assert!(refused.stderr.contains("--remediate-role"), "{}", refused.stderr);
    assert!(!cloud.requests().iter().any(|request| request.mutating));

    cloud.imdsctl(line).line("--remediate-role ImdsctlRemediate").run().code(1);
    let requests = cloud.requests();
    let changes: Vec<_> = requests.iter().filter(|request| request.changed).collect();
    assert!(changes.len() >= 3, "{changes:#?}");
    for change in changes {
        assert!(change.principal.contains(":assumed-role/ImdsctlRemediate/"), "{}", change.principal);
    }
    let assumed = requests.iter().filter_map(|request| request.assume_role.as_ref());
    let mut policies = assumed.filter(|asked| asked.role_arn.ends_with("role/ImdsctlRemediate"));
    let policy = policies.next().unwrap().policy.as_deref().unwrap();
    // Exactly what the plan needs: nothing of it changes an instance or the account's defaults.
    assert!(
        policy.contains("ec2:CreateLaunchTemplateVersion") && policy.contains("launch-template/lt-"),
        "{policy}"
    );
    for none in ["ModifyInstanceMetadataOptions", "ModifyInstanceMetadataDefaults"] {
        assert!(!policy.contains(none), "{policy}");
    }
    assert!(policies.next().is_none(), "one session for the account");
}
