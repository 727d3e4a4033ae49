//! Reads by id, and EC2's answers when some of the ids are gone (TRAP 35, TRAP 47).

use super::replay::{Answer, Wire, assert_has, assert_lacks, id, ok};
use spot_rescue::cloud::{Cloud, CloudError, Query};

const IDS: [&str; 3] = [
    "vol-0123456789abcdef0",
    "vol-0123456789abcdef1",
    "vol-0123456789abcdef2",
];

fn volumes() -> Query {
    Query::Volumes(IDS.map(id).into())
}

fn gone(code: &str, message: &str) -> Answer {
    let error = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
    Answer::Says(
        400,
        format!("<Response><Errors>{error}</Errors></Response>"),
    )
}

fn volume_gone(n: usize) -> Answer {
    let message = format!("The volume '{}' does not exist.", IDS[n]);
    gone("InvalidVolume.NotFound", &message)
}

fn found(ids: &[&str]) -> Answer {
    let item = |id: &&str| {
        format!(
            "<item><volumeId>{id}</volumeId><size>8</size><status>available</status>\
             <availabilityZone>eu-west-1a</availabilityZone><volumeType>gp3</volumeType>\
             <createTime>2026-11-23T10:00:00.000Z</createTime></item>"
        )
    };
    let items: String = ids.iter().map(item).collect();
    ok(format!(
        "<DescribeVolumesResponse><volumeSet>{items}</volumeSet></DescribeVolumesResponse>"
    ))
}

/// How many were found, and the ids of the last request.
async fn read(answers: Vec<Answer>) -> (Result<usize, CloudError>, Vec<String>, bool) {
    let wire = Wire::new(answers);
    let found = wire.aws.volumes(&volumes()).await.map(|it| it.len());
    let requests = wire.requests();
    let last = requests.last().expect("something was asked");
    let ids = last.iter().filter(|(key, _)| key.starts_with("VolumeId."));
    let ids = ids.map(|(_, value)| value.clone()).collect();
    (found, ids, last.contains_key("Filter.1.Name"))
}

/// TRAP 35: one id that is gone fails all; it is named, and left out. TRAP 47: only an error that names no id leads
/// to a filter.
#[tokio::test]
async fn what_is_gone_is_left_out_and_the_rest_is_found() {
    let [a, b, c] = IDS;
    let all = vec![found(&IDS)];
    assert_eq!(
        read(all).await,
        (Ok(3), IDS.map(str::to_owned).into(), false)
    );
    let one = vec![volume_gone(1), found(&[a, c])];
    let rest = vec![a.to_owned(), c.to_owned()];
    assert_eq!(read(one).await, (Ok(2), rest, false));
    let two = vec![volume_gone(0), volume_gone(2), found(&[b])];
    assert_eq!(read(two).await, (Ok(1), vec![b.to_owned()], false));
    // If all are gone, no further request is needed.
    let every = vec![volume_gone(0), volume_gone(1), volume_gone(2)];
    assert_eq!(read(every).await, (Ok(0), vec![c.to_owned()], false));
    let several = format!("The volumes '{a}, {b}' do not exist.");
    let several = vec![gone("InvalidVolume.NotFound", &several), found(&[c])];
    assert_eq!(read(several).await, (Ok(1), vec![c.to_owned()], false));
    // A longer id that begins like ours, and no id at all: a filter finds what there is.
    for message in ["The volume 'vol-0123456789abcdef01' does not exist.", ""] {
        let unnamed = vec![gone("InvalidVolume.NotFound", message), found(&[a])];
        assert_eq!(read(unnamed).await, (Ok(1), Vec::new(), true), "{message}");
    }
    let (failed, ..) = read(vec![gone("UnauthorizedOperation", a)]).await;
    assert!(failed.is_err());
}

/// Each kind by its own ids, and with nothing beside them: `MaxResults` and ids are refused together.
#[tokio::test]
async fn each_kind_is_asked_for_by_its_ids() {
    let answer = |operation: &str| ok(format!("<{operation}Response/>"));
    let wire = Wire::new(
        [
            "DescribeSnapshots",
            "DescribeImages",
            "DescribeNetworkInterfaces",
        ]
        .map(answer),
    );
    let snapshots = Query::Snapshots(vec![id("snap-0123456789abcdef0")]);
    assert_eq!(wire.aws.snapshots(&snapshots).await, Ok(Vec::new()));
    let images = Query::Images(vec![id("ami-0123456789abcdef0")]);
    assert_eq!(wire.aws.images(&images).await, Ok(Vec::new()));
    let interfaces = Query::Interfaces(vec![id("eni-0123456789abcdef0")]);
    assert_eq!(wire.aws.interfaces(&interfaces).await, Ok(Vec::new()));
    let requests = wire.requests();
    // Only the account's own: a shared one bears the tags of its owner (TRAP 27).
    let own = ("Owner.1", "self");
    assert_has(
        &requests[0],
        &[("SnapshotId.1", "snap-0123456789abcdef0"), own],
    );
    assert_has(&requests[1], &[("ImageId.1", "ami-0123456789abcdef0")]);
    let interface = ("NetworkInterfaceId.1", "eni-0123456789abcdef0");
    assert_has(&requests[2], &[interface]);
    for request in &requests {
        assert_lacks(request, "MaxResults");
        assert_lacks(request, "Filter.1.Name");
    }
}
