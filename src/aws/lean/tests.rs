use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use proptest::prelude::*;
use xmlparser::{ElementEnd, Token, Tokenizer};

use super::*;
use crate::aws::convert::{autoscaling, ec2};

// Answers with every field that botocore knows; tests/python/full_answer.py writes them.
const INSTANCES: &str = include_str!("answers/DescribeInstances.xml");
const VERSIONS: &str = include_str!("answers/DescribeLaunchTemplateVersions.xml");
const GROUPS: &str = include_str!("answers/DescribeAutoScalingGroups.xml");

/// Answers everything with the same document.
#[derive(Clone, Copy, Debug)]
struct Canned(&'static str);

impl HttpConnector for Canned {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        let status = StatusCode::try_from(200).unwrap();
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::from(self.0))))
    }
}

impl HttpClient for Canned {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(*self)
    }
}

/// A client of a service crate that gets this answer, with or without what is not read.
macro_rules! client {
    ($service:ident, $answer:expr, $lean:expr) => {{
        let credentials = aws_credential_types::Credentials::new("any", "any", None, None, "test");
        let config = $service::Config::builder()
            .behavior_version($service::config::BehaviorVersion::latest())
            .region($service::config::Region::new("eu-west-1"))
            .credentials_provider(credentials)
            .http_client(Canned($answer));
        let config = if $lean { config.interceptor(Lean::of(Task::Audit)) } else { config };
        $service::Client::from_conf(config.build())
    }};
}

#[tokio::test]
async fn of_a_full_answer_nothing_that_is_read_is_left_out_of_instances() {
    let read = async |lean| {
        let answer = client!(aws_sdk_ec2, INSTANCES, lean).describe_instances().send().await.unwrap();
        let reservations = answer.reservations.unwrap();
        let unread = reservations[0].instances()[0].placement().is_some();
        let instances = reservations.into_iter().flat_map(|one| one.instances.unwrap());
        (answer.next_token, instances.flat_map(ec2::instances).collect::<Vec<_>>(), unread)
    };
    let (whole, lean) = (read(false).await, read(true).await);
    assert_eq!((&whole.0, &whole.1), (&lean.0, &lean.1));
    assert!(whole.2 && !lean.2, "the SDK was spared the rest");
    let [instance] = lean.1.as_slice() else { panic!("one instance") };
    assert!(instance.image.is_some() && instance.instance_type.is_some() && instance.operator.is_some());
    assert!(instance.metadata.instance_metadata_tags.is_some() && instance.tags.iter().count() == 1);
    assert!(lean.0.is_some());
}

#[tokio::test]
async fn of_a_full_answer_nothing_that_is_read_is_left_out_of_template_versions_but_user_data_is() {
    let read = async |lean| {
        let client = client!(aws_sdk_ec2, VERSIONS, lean);
        let answer = client.describe_launch_template_versions().send().await.unwrap();
        let data = answer.launch_template_versions()[0].launch_template_data().unwrap();
        let unread = data.user_data().is_some();
        let versions = answer.launch_template_versions().iter().filter_map(ec2::listed_version);
        (answer.next_token.clone(), versions.collect::<Vec<_>>(), unread)
    };
    let (whole, lean) = (read(false).await, read(true).await);
    assert_eq!((&whole.0, &whole.1), (&lean.0, &lean.1));
    assert!(whole.2 && !lean.2, "the SDK was spared the rest");
    let [version] = lean.1.as_slice() else { panic!("one version") };
    assert!(version.is_default && version.version.metadata.http_tokens.is_some());
    assert!(version.version.created_by.is_some() && lean.0.is_some());
}

#[tokio::test]
async fn of_a_full_answer_nothing_that_is_read_is_left_out_of_groups() {
    let read = async |answer, lean| {
        let client = client!(aws_sdk_autoscaling, answer, lean);
        let answer = client.describe_auto_scaling_groups().send().await.unwrap();
        let unread = answer.auto_scaling_groups()[0].min_size() == Some(7);
        let groups = answer.auto_scaling_groups().iter().filter_map(autoscaling::group);
        (answer.next_token.clone(), groups.collect::<Vec<_>>(), unread)
    };
    // A group launches from one of these, and the first that there is hides the others.
    let of_template: &str = String::leak(GROUPS.replace("MixedInstancesPolicy", "Another"));
    let of_configuration: &str = String::leak(of_template.replace("LaunchTemplate>", "Other>"));
    let mut launches = Vec::new();
    for answer in [GROUPS, of_template, of_configuration] {
        let (whole, lean) = (read(answer, false).await, read(answer, true).await);
        assert_eq!((&whole.0, &whole.1), (&lean.0, &lean.1));
        assert!(whole.2 && !lean.2, "the SDK was spared the rest");
        let [group] = lean.1.as_slice() else { panic!("one group") };
        assert!(group.has_warm_pool && group.model.instances.len() == 1 && lean.0.is_some());
        launches.push(std::mem::discriminant(&group.model.launch));
    }
    launches.dedup();
    assert_eq!(launches.len(), 3, "a mixed policy, a template, and a launch configuration");
}

#[test]
fn every_element_of_the_table_is_one_that_an_answer_has() {
    fn all_in(node: &Node, keep: Keep) -> Vec<&'static str> {
        let (Keep::Only(some) | Keep::Alike(_, some)) = keep else { return Vec::new() };
        let missing = some.iter().flat_map(|(name, keep)| {
            node.elements()
                .find(|inner| inner.name == *name)
                .map_or(vec![*name], |inner| all_in(inner, *keep))
        });
        missing.collect()
    }
    for (operation, answer) in [
        ("DescribeInstances", INSTANCES),
        ("DescribeLaunchTemplateVersions", VERSIONS),
        ("DescribeAutoScalingGroups", GROUPS),
    ] {
        let missing = all_in(&parsed(answer).unwrap(), keep(operation).unwrap());
        assert!(missing.is_empty(), "{operation} has no {missing:?}");
    }
}

const FEW: Keep = keep! { a { b, c { a } }, item { item { b } } };

#[test]
fn what_is_kept_stays_as_it_was_written() {
    let document = "<?xml version=\"1.0\"?>\n<R xmlns=\"x\"><b>1</b><a> <b>&amp;<d/></b><d><b>2</b></d>\n<d/></a><a/>t</R>\n";
    let pruned = prune::pruned(document, FEW).unwrap();
    assert_eq!(pruned, "<?xml version=\"1.0\"?>\n<R xmlns=\"x\"><a> <b>&amp;<d/></b>\n</a><a/>t</R>\n");
}

#[test]
fn a_document_that_is_out_of_the_ordinary_is_left_alone() {
    for document in [
        "",
        "<",
        "text",
        "<R/>",
        "<R>",
        "<R><a></R>",
        "<R><a></a>",
        "<R><d></a></R>",
        "<R></R><R></R>",
        "<R></R>x",
        "<R><!-- <d> --></R>",
        "<R><a><![CDATA[<d>]]></a></R>",
        "<R><?d <a> ?></R>",
        "<R><d b='1'/></R>",
        "<R><d b=\">\"/></R>",
        "<R b=\">\"></R>",
        "<R b='\"'></R>",
        "<R><d ></d></R>",
        "<R><d></d ></R>",
        "<R><x:a></x:a></R>",
        "<!DOCTYPE R><R></R>",
        "<R></",
    ] {
        assert_eq!(prune::pruned(document, FEW), None, "{document}");
    }
}

const INSTANCES_OF_ONE_LETTER: Keep = keep! { item { i but k { k, b, c { a } } } };

#[test]
fn elements_that_are_alike_become_one_with_the_keys_of_all() {
    let document = "<R><item><i><k>1</k><d/><b>x</b></i><i><b>x</b><k>2</k></i><i><d>2</d><k>3</k><b>x</b></i></item>\n\
                    <item><i><k>4</k><b>x</b></i><i><k>5</k><b>y</b></i></item></R>";
    let folded = prune::pruned(document, INSTANCES_OF_ONE_LETTER).unwrap();
    assert_eq!(
        folded,
        "<R><item><i><k>1\u{e000}3\u{e000}4</k><b>x</b></i><i><b>x</b><k>2</k></i></item>\n\
         <item><i><k>5</k><b>y</b></i></item></R>"
    );
}

#[test]
fn an_element_without_a_plain_key_stays_by_itself() {
    for key in ["", "<k/>", "<k></k>", "<k>1 2</k>", "<k>&amp;</k>", "<k>1<b/></k>", "<k>1</k><k> </k>"] {
        let document = format!("<R><item><i>{key}<b>x</b></i><i>{key}<b>x</b></i></item></R>");
        assert_eq!(prune::pruned(&document, INSTANCES_OF_ONE_LETTER).as_ref(), Some(&document));
    }
}

/// An element as any parser understands it, its attributes apart.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Node {
    name: String,
    inside: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Element(Node),
    Text(String),
}

impl Node {
    fn elements(&self) -> impl Iterator<Item = &Self> {
        self.inside.iter().filter_map(|part| match part {
            Part::Element(node) => Some(node),
            Part::Text(_) => None,
        })
    }

    /// Texts that nothing stands between are one.
    fn push(&mut self, part: Part) {
        match (self.inside.last_mut(), part) {
            (Some(Part::Text(before)), Part::Text(text)) => before.push_str(&text),
            (_, part) => self.inside.push(part),
        }
    }

    /// The same without what is not kept, worked out on the tree.
    fn pruned(&self, keep: Keep) -> Self {
        let (Keep::Only(some) | Keep::Alike(_, some)) = keep else { return self.clone() };
        let mut pruned = Self { name: self.name.clone(), inside: Vec::new() };
        for part in &self.inside {
            match part {
                Part::Text(_) => pruned.push(part.clone()),
                Part::Element(node) => {
                    if let Some((_, keep)) = some.iter().find(|(name, _)| node.name == *name) {
                        pruned.push(Part::Element(node.pruned(*keep)));
                    }
                }
            }
        }
        pruned
    }

    fn write(&self, out: &mut String) {
        if self.inside.is_empty() && self.name.len() == 1 {
            *out += &["<", &self.name, "/>"].concat();
            return;
        }
        *out += &["<", &self.name, ">"].concat();
        for part in &self.inside {
            match part {
                Part::Element(node) => node.write(out),
                Part::Text(text) => out.push_str(text),
            }
        }
        *out += &["</", &self.name, ">"].concat();
    }
}

/// A document, by the tokenizer that the SDK uses; nothing if it is not well-formed.
fn parsed(document: &str) -> Option<Node> {
    let mut open = vec![Node { name: String::new(), inside: Vec::new() }];
    for token in Tokenizer::from(document) {
        match token.ok()? {
            // The SDK tells elements apart by what follows the prefix.
            Token::ElementStart { local, .. } => {
                open.push(Node { name: local.to_string(), inside: Vec::new() });
            }
            Token::ElementEnd { end: ElementEnd::Open, .. } => {}
            Token::ElementEnd { end, .. } => {
                let node = open.pop()?;
                if let ElementEnd::Close(_, local) = end
                    && local.as_str() != node.name
                {
                    return None;
                }
                open.last_mut()?.push(Part::Element(node));
            }
            Token::Text { text } => open.last_mut()?.push(Part::Text(text.to_string())),
            Token::Cdata { text, .. } => open.last_mut()?.push(Part::Text(format!("CDATA{text}"))),
            _ => {}
        }
    }
    let [document] = open.as_slice() else { return None };
    document.elements().next().cloned()
}

/// Elements with a key each, as one element with all of them or as many: their keys apart from the rest of them.
fn by_key(document: &str) -> Vec<(String, Node)> {
    let root = parsed(document).unwrap();
    let mut all = Vec::new();
    for item in root.elements().flat_map(Node::elements) {
        let (keys, rest): (Vec<_>, Vec<_>) = item
            .inside
            .iter()
            .cloned()
            .partition(|part| matches!(part, Part::Element(node) if node.name == "k"));
        let rest = Node { name: item.name.clone(), inside: rest };
        let [.., Part::Element(key)] = keys.as_slice() else { continue };
        let [Part::Text(key)] = key.inside.as_slice() else { continue };
        all.extend(key.split(BETWEEN).map(|key| (key.to_owned(), rest.clone())));
    }
    all.sort_by_key(|(key, _)| key.clone());
    all
}

fn element(name: &str, inside: Vec<Part>) -> Node {
    Node { name: name.to_owned(), inside }
}

/// Lists of elements of few kinds, in any order, each with a key of its own somewhere in it.
fn lists() -> impl Strategy<Value = String> {
    let kinds =
        prop::collection::vec(prop::collection::vec(node(part()).prop_map(Part::Element), 0..4), 1..4);
    let elements = prop::collection::vec((any::<prop::sample::Index>(), 0..5_usize, any::<bool>()), 0..20);
    (kinds, elements).prop_map(|(kinds, elements)| {
        let (mut root, mut list) = (element("R", Vec::new()), element("item", Vec::new()));
        for (number, (kind, place, is_last)) in elements.into_iter().enumerate() {
            let mut inside = kinds[kind.index(kinds.len())].clone();
            let key = element("k", vec![Part::Text(format!("i-{number:02}"))]);
            inside.insert(place.min(inside.len()), Part::Element(key));
            list.inside.push(Part::Element(element("i", inside)));
            if is_last {
                root.inside.push(Part::Element(std::mem::replace(&mut list, element("item", Vec::new()))));
            }
        }
        root.inside.push(Part::Element(list));
        let mut document = String::new();
        root.write(&mut document);
        document
    })
}

fn part() -> impl Strategy<Value = Part> {
    let text = prop::sample::select(vec!["1", " \n ", "&amp;", "é > ü", "a=\"b\""]);
    let leaf = text.prop_map(|text| Part::Text(text.to_owned()));
    leaf.prop_recursive(5, 60, 6, |part| node(part).prop_map(Part::Element))
}

fn node(part: impl Strategy<Value = Part>) -> impl Strategy<Value = Node> {
    let name = prop::sample::select(vec!["a", "b", "c", "d", "item"]);
    (name, prop::collection::vec(part, 0..6)).prop_map(|(name, parts)| {
        let mut node = Node { name: name.to_owned(), inside: Vec::new() };
        for part in parts {
            node.push(part);
        }
        node
    })
}

fn document() -> impl Strategy<Value = String> {
    (node(part()), any::<bool>()).prop_map(|(root, declared)| {
        let root = Node { name: "Response".to_owned(), ..root };
        let mut document = if declared { "<?xml version=\"1.0\"?>\n".to_owned() } else { String::new() };
        root.write(&mut document);
        document.replacen("<Response>", "<Response xmlns=\"http://x/\">", 1)
    })
}

/// What a document may hold, or be broken by.
const ODD: [&str; 14] = [
    "<!-- <a> -->",
    "<![CDATA[</a><b>]]>",
    "<?x <a> ?>",
    "<x:b>1</x:b>",
    "<b x=\"</b>\">1</b>",
    "<d x='>'/>",
    "<b >1</b >",
    "<b></a>",
    "</b>",
    "<",
    ">",
    "\"",
    "/",
    "&",
];

proptest! {
    #[test]
    fn what_is_folded_is_all_there_and_each_with_its_key(document in lists()) {
        const UNFOLDED: Keep = keep! { item { i { k, b, c { a } } } };
        let folded = prune::pruned(&document, INSTANCES_OF_ONE_LETTER).unwrap();
        let unfolded = prune::pruned(&document, UNFOLDED).unwrap();
        prop_assert!(folded.len() <= unfolded.len());
        prop_assert_eq!(by_key(&folded), by_key(&unfolded));
    }

    #[test]
    fn leaving_out_and_parsing_is_parsing_and_leaving_out(document in document()) {
        let pruned = prune::pruned(&document, FEW);
        prop_assert!(pruned.is_some(), "{document}");
        prop_assert_eq!(parsed(&pruned.unwrap()), parsed(&document).map(|root| root.pruned(FEW)));
    }

    #[test]
    fn whatever_is_odd_changes_nothing_in_what_is_understood(
        document in document(),
        odd in prop::sample::select(&ODD[..]),
        at in any::<prop::sample::Index>(),
    ) {
        let places: Vec<_> = document.char_indices().map(|(place, _)| place).collect();
        let mut document = document.clone();
        document.insert_str(places[at.index(places.len())], odd);
        if let (Some(root), Some(pruned)) = (parsed(&document), prune::pruned(&document, FEW)) {
            prop_assert_eq!(parsed(&pruned), Some(root.pruned(FEW)), "{}", document);
        }
    }

    #[test]
    fn an_answer_that_breaks_off_is_left_to_be_noticed(document in document(), at in any::<prop::sample::Index>()) {
        let places: Vec<_> = document.char_indices().map(|(place, _)| place).collect();
        let cut = &document[..places[at.index(places.len())]];
        prop_assert_eq!(prune::pruned(cut, FEW), None, "{}", cut);
    }
}
