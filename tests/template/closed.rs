//! What belongs to the stack is closed to all other callers in the account, whatever their own policies allow: the
//! queues, which the function obeys, and the secret that its tags are sealed with.

use super::{template, texts};
use serde_yaml_ng::Value;

const MESSAGES: &[&str] = &[
    "sqs:CancelMessageMoveTask",
    "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessage",
    "sqs:PurgeQueue",
    "sqs:ReceiveMessage",
    "sqs:SendMessage",
    "sqs:StartMessageMoveTask",
];

/// By value, not by name: a caller that knows or sets it can seal anything.
const VALUES: &[&str] = &[
    "secretsmanager:CancelRotateSecret",
    "secretsmanager:GetSecretValue",
    "secretsmanager:PutSecretValue",
    "secretsmanager:ReplicateSecretToRegions",
    "secretsmanager:RotateSecret",
    "secretsmanager:UpdateSecret",
    "secretsmanager:UpdateSecretVersionStage",
];

/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-policies.html>
const ACTIONS_OF_A_STATEMENT: usize = 7;

pub fn properties(name: &str) -> Value {
    template()["Resources"][name]["Properties"].clone()
}

/// The one statement that denies.
fn denial(document: &Value) -> Value {
    let all = document["Statement"].as_sequence().unwrap();
    let mut denying = all.iter().filter(|it| it["Effect"] == "Deny");
    let found = denying.next().expect("nothing is denied").clone();
    assert!(denying.next().is_none());
    assert_eq!(found["Principal"].as_str(), Some("*"));
    found
}

pub fn written(value: &Value) -> String {
    serde_yaml_ng::to_string(value).unwrap()
}

/// M2: inside an account an identity policy is enough, unless the queue's own denies. Actions that are not among
/// these are needed by `CloudFormation`, in the name of the user who updates or deletes the stack.
#[test]
fn the_queues_deny_messages_to_all_other_callers() {
    for policy in ["QueuePolicy", "DeadLetterQueuePolicy"] {
        let denial = denial(&properties(policy)["PolicyDocument"]);
        let service = &denial["Condition"]["Bool"]["aws:PrincipalIsAWSService"];
        assert_eq!(service.as_str(), Some("false"), "rules would be shut out");
        denies_messages(&denial, "FunctionRole.Arn");
    }
    // No rule sends to this one.
    let denial = denial(&properties("BackupQueuePolicy")["PolicyDocument"]);
    assert_eq!(denial["Condition"].as_mapping().unwrap().len(), 1);
    denies_messages(&denial, "BackupRole.Arn");
}

fn denies_messages(denial: &Value, role: &str) {
    assert_eq!(texts(&denial["Action"]), MESSAGES);
    assert!(MESSAGES.len() <= ACTIONS_OF_A_STATEMENT);
    let spared = written(&denial["Condition"]["ArnNotLike"]["aws:PrincipalArn"]);
    for needed in [role, "SweepSchedulerRole.Arn", "!Ref OperatorArns"] {
        assert!(spared.contains(needed), "{needed}: {spared}");
    }
    for other in ["root", "*"] {
        assert!(!spared.contains(other), "{spared}");
    }
}

/// SQS moves dead letters itself: any queue that names ours as its dead-letter queue could send to it.
#[test]
fn no_other_queue_sends_its_dead_letters_to_ours() {
    let queue = properties("Queue");
    let permission = |it: &Value| {
        let allowed = &it["RedriveAllowPolicy"]["redrivePermission"];
        allowed.as_str().map(str::to_owned)
    };
    assert_eq!(permission(&queue).as_deref(), Some("denyAll"));
    assert_eq!(
        permission(&properties("BackupQueue")).as_deref(),
        Some("denyAll")
    );
    let letters = properties("DeadLetterQueue");
    assert_eq!(permission(&letters).as_deref(), Some("byQueue"));
    let sources = texts(&letters["RedriveAllowPolicy"]["sourceQueueArns"]);
    let name = texts(&queue["QueueName"]).concat();
    assert_eq!(sources.len(), 1);
    assert!(sources[0].ends_with(&format!(":{name}")), "{sources:?}");
}

#[test]
fn only_the_functions_know_the_secret() {
    let policy = properties("SealSecretPolicy");
    assert_eq!(written(&policy["SecretId"]).trim(), "!Ref SealSecret");
    let denial = denial(&policy["ResourcePolicy"]);
    assert_eq!(texts(&denial["Action"]), VALUES);
    let condition = denial["Condition"].as_mapping().unwrap();
    assert_eq!(condition.len(), 1, "{condition:?}");
    let spared = &denial["Condition"]["ArnNotEquals"]["aws:PrincipalArn"];
    assert_eq!(texts(spared), ["FunctionRole.Arn", "BackupRole.Arn"]);
}

/// A value that changes makes the function forget everything on record.
#[test]
fn the_secret_is_made_once_and_goes_with_the_stack() {
    let template = template();
    let secret = &template["Resources"]["SealSecret"];
    assert_eq!(secret["DeletionPolicy"].as_str(), Some("Delete"));
    let made = &secret["Properties"]["GenerateSecretString"];
    assert_eq!(made["PasswordLength"].as_u64(), Some(64));
    assert_eq!(made["ExcludePunctuation"].as_bool(), Some(true));
    assert!(secret["Properties"]["SecretString"].is_null());
    let all = template["Resources"].as_mapping().unwrap().values();
    let rotated = |it: &&Value| it["Type"] == "AWS::SecretsManager::RotationSchedule";
    assert_eq!(all.filter(rotated).count(), 0);
    for function in ["Function", "BackupFunction"] {
        let function = &template["Resources"][function];
        assert_eq!(texts(&function["DependsOn"]), ["SealSecretPolicy"]);
        let variables = &function["Properties"]["Environment"]["Variables"];
        for (variable, is) in [
            ("SPOT_RESCUE_SECRET_ARN", "!Ref SealSecret"),
            ("SPOT_RESCUE_ROLE_ARN", "!GetAtt FunctionRole.Arn"),
        ] {
            assert_eq!(written(&variables[variable]).trim(), is);
        }
    }
}
