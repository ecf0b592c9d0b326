//! IAM's patterns: `*` is any text, `?` is any one character. Nothing else has a meaning.

/// Does the whole text match?
pub fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (&[u8], &[u8]) = (pattern.as_bytes(), text.as_bytes());
    let (mut at, mut seen) = (0, 0);
    // Where the last star is, and how much it has taken.
    let mut star: Option<(usize, usize)> = None;
    while seen < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, seen));
                at += 1;
            }
            Some(b'?') => {
                at += 1;
                seen += 1;
            }
            Some(byte) if *byte == text[seen] => {
                at += 1;
                seen += 1;
            }
            _ => {
                let Some((place, taken)) = star else { return false };
                star = Some((place, taken + 1));
                at = place + 1;
                seen = taken + 1;
            }
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

/// The same for actions, which have no case.
pub fn matches_action(pattern: &str, action: &str) -> bool {
    matches(&pattern.to_ascii_lowercase(), &action.to_ascii_lowercase())
}

/// The same for ARNs, part by part: a star does not reach over a colon, except in the last part.
pub fn matches_arn(pattern: &str, arn: &str) -> bool {
    let (pattern, arn) = (pattern.splitn(6, ':'), arn.splitn(6, ':'));
    let (pattern, arn): (Vec<&str>, Vec<&str>) = (pattern.collect(), arn.collect());
    pattern.len() == arn.len() && pattern.iter().zip(&arn).all(|(pattern, part)| matches(pattern, part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks_are_all_there_is() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("*", "anything:at/all", true),
            ("", "", true),
            ("", "x", false),
            ("ec2:Describe*", "ec2:DescribeInstances", true),
            ("ec2:Describe*", "ec2:GetInstanceMetadataDefaults", false),
            ("*s", "DescribeInstances", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-b-b-cd", false),
            ("us-?ast-1", "us-east-1", true),
            ("us-?ast-1", "us-ast-1", false),
            ("[a-z]*", "abc", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} on {text}");
        }
        assert!(matches_action("EC2:describeinstances", "ec2:DescribeInstances"));
    }

    #[test]
    fn a_star_does_not_leave_its_part_of_an_arn() {
        let arn = "arn:aws:iam::111122223333:role/audit/reader";
        assert!(matches_arn("arn:aws:iam::*:role/*", arn));
        assert!(matches_arn("arn:*:iam::111122223333:*", arn));
        assert!(!matches_arn("arn:*", arn));
        assert!(!matches_arn("arn:aws:*:role/audit/reader", arn));
    }
}
