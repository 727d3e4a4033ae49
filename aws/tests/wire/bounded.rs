//! Reads that would answer more than a rescue needs.

use super::replay::{Answer, Wire, assert_has, id, ok};
use spot_rescue::cloud::{Cloud, CloudError, MOST_PAGES, Query};
use spot_rescue::tags;

const ALL_SETS: Query = Query::TagKey(tags::CONSISTENCY);
const SWEEP: Query = Query::TagKey("spot-rescue:expires-at");

fn of_one_lineage() -> Query {
    Query::Tag {
        key: "spot-rescue:rescue",
        values: vec!["i-0123456789abcdef0".to_owned()],
    }
}

/// A page of two snapshots, of which one is no use.
fn page(n: usize, more: bool) -> Answer {
    let snapshot = |id: usize, tier: &str| {
        format!(
            "<item><snapshotId>snap-0aaaaaaaaaaaaaa{n}{id}</snapshotId><volumeId>vol-0123456789abcdef0\
             </volumeId><status>completed</status><startTime>2026-11-23T10:00:00.000Z</startTime>{tier}</item>"
        )
    };
    let items = snapshot(1, "") + &snapshot(2, "<storageTier>archive</storageTier>");
    let next = more.then(|| format!("<nextToken>{}</nextToken>", n + 1));
    ok(format!(
        "<DescribeSnapshotsResponse><snapshotSet>{items}</snapshotSet>{}</DescribeSnapshotsResponse>",
        next.unwrap_or_default()
    ))
}

/// How many were believed, and how many pages were asked for.
async fn read(query: &Query, at_most: usize, pages: usize) -> (Result<usize, CloudError>, usize) {
    let answers = (1..=pages).map(|n| page(n, n < 3));
    let wire = Wire::reading_at_most(at_most, answers);
    let found = wire.aws.snapshots(query).await.map(|it| it.len());
    (found, wire.requests().len())
}

/// Three pages of two: the third is asked for only if the first two are not too much.
#[tokio::test]
async fn only_the_sweep_goes_on_with_a_part_of_a_list() {
    for (at_most, pages, swept) in [
        (9, 3, 3),
        (6, 3, 3),
        (5, 3, 3),
        (4, 3, 2),
        (3, 2, 2),
        (1, 1, 1),
    ] {
        let whole = at_most >= 6;
        assert_eq!(
            read(&SWEEP, at_most, pages).await,
            (Ok(swept), pages),
            "{at_most}"
        );
        let (found, asked) = read(&of_one_lineage(), at_most, pages).await;
        assert_eq!(asked, pages, "{at_most}");
        let error = found
            .as_ref()
            .err()
            .map(|it| (it.operation, it.code.as_str()));
        let expected = (!whole).then_some(("DescribeSnapshots", "TooMany"));
        assert_eq!(error, expected, "{at_most}: {found:?}");
    }
}

fn two(operation: &str, set: &str, item: &str) -> Answer {
    let items = format!("<item>{item}</item>").repeat(2);
    ok(format!(
        "<{operation}Response><{set}>{items}</{set}></{operation}Response>"
    ))
}

/// Items of each kind are counted, whether they can be converted or not.
#[tokio::test]
async fn every_read_is_bounded() {
    let query = of_one_lineage();
    let wire = |operation, set, item| Wire::reading_at_most(1, [two(operation, set, item)]);
    let told = |it: Option<CloudError>| it.map(|it| (it.operation, it.code));
    let instances = "<instancesSet><item><instanceId>i-1</instanceId></item></instancesSet>";
    let of_instances = wire("DescribeInstances", "reservationSet", instances);
    let of_volumes = wire("DescribeVolumes", "volumeSet", "");
    let of_templates = wire("DescribeLaunchTemplates", "launchTemplates", "");
    let of_interfaces = wire("DescribeNetworkInterfaces", "networkInterfaceSet", "");
    let of_images = wire("DescribeImages", "imagesSet", "");
    for (error, operation) in [
        (
            of_instances.aws.instances(&query).await.err(),
            "DescribeInstances",
        ),
        (
            of_volumes.aws.volumes(&query).await.err(),
            "DescribeVolumes",
        ),
        (
            of_templates.aws.templates(&query).await.err(),
            "DescribeLaunchTemplates",
        ),
        (
            of_interfaces.aws.interfaces(&query).await.err(),
            "DescribeNetworkInterfaces",
        ),
        (of_images.aws.images(&query).await.err(), "DescribeImages"),
    ] {
        assert_eq!(told(error), Some((operation, "TooMany".to_owned())));
    }
}

/// By their own ids, and snapshots by the volume that EC2 names as their source.
#[tokio::test]
async fn volumes_are_asked_for_by_id_and_so_are_their_snapshots() {
    let query = Query::Volumes(vec![
        id("vol-0123456789abcdef0"),
        id("vol-0123456789abcdef1"),
    ]);
    let by_id = [
        ("VolumeId.1", "vol-0123456789abcdef0"),
        ("VolumeId.2", "vol-0123456789abcdef1"),
    ];
    let wire = Wire::new([ok("<DescribeVolumesResponse/>")]);
    assert_eq!(wire.aws.volumes(&query).await, Ok(Vec::new()));
    assert_has(&wire.only_request(), &by_id);
    let of_them = [
        ("Filter.1.Name", "volume-id"),
        ("Filter.1.Value.1", "vol-0123456789abcdef0"),
        ("Filter.1.Value.2", "vol-0123456789abcdef1"),
    ];
    let wire = Wire::new([ok("<DescribeSnapshotsResponse/>")]);
    assert_eq!(wire.aws.snapshots(&query).await, Ok(Vec::new()));
    assert_has(&wire.only_request(), &of_them);
    assert_has(&wire.only_request(), &[("Owner.1", "self")]);
}

/// TRAP 47: empty ones as well. The sweep has time, and may go on.
#[tokio::test]
async fn snapshots_are_read_up_to_a_number_of_pages() {
    let empty = |n: usize, pages: usize| {
        let next = (n < pages).then(|| format!("<nextToken>{n}</nextToken>"));
        let next = next.unwrap_or_default();
        ok(format!(
            "<DescribeSnapshotsResponse><snapshotSet/>{next}</DescribeSnapshotsResponse>"
        ))
    };
    for (query, pages, asked, whole) in [
        (of_one_lineage(), MOST_PAGES, MOST_PAGES, true),
        (of_one_lineage(), MOST_PAGES + 1, MOST_PAGES, false),
        (SWEEP, MOST_PAGES + 3, MOST_PAGES + 3, true),
        // What is due, and what goes, follows from all sets there are.
        (ALL_SETS, MOST_PAGES + 3, MOST_PAGES + 3, true),
    ] {
        let wire = Wire::new((1..=asked).map(|n| empty(n, pages)));
        let found = wire.aws.snapshots(&query).await;
        assert_eq!(wire.requests().len(), asked, "{pages} pages");
        assert_eq!(found.is_ok(), whole, "{found:?}");
        assert!(found.is_ok() || found.is_err_and(|it| it.is_too_long()));
    }
}

/// The description of a snapshot cannot be changed after it was taken.
#[tokio::test]
async fn a_snapshot_tells_its_description() {
    let body = "<DescribeSnapshotsResponse><snapshotSet><item><snapshotId>snap-0aaaaaaaaaaaaaaa1</snapshotId>\
        <volumeId>vol-0123456789abcdef0</volumeId><status>completed</status>\
        <startTime>2026-11-23T10:00:00.000Z</startTime><description>spot-rescue: set a @code</description>\
        </item></snapshotSet></DescribeSnapshotsResponse>";
    let wire = Wire::new([ok(body)]);
    let found = wire.aws.snapshots(&of_one_lineage()).await.unwrap();
    assert_eq!(found[0].description, "spot-rescue: set a @code");
    assert_eq!(found[0].completed, None);
}

/// EC2 tells when a snapshot completed; of a pending one it says nothing.
#[tokio::test]
async fn a_snapshot_tells_when_it_completed() {
    let body = "<DescribeSnapshotsResponse><snapshotSet><item><snapshotId>snap-0aaaaaaaaaaaaaaa1</snapshotId>\
        <volumeId>vol-0123456789abcdef0</volumeId><status>completed</status>\
        <startTime>2026-11-23T10:00:00.000Z</startTime><completionTime>2026-11-23T10:07:00.000Z</completionTime>\
        </item></snapshotSet></DescribeSnapshotsResponse>";
    let wire = Wire::new([ok(body)]);
    let found = wire.aws.snapshots(&ALL_SETS).await.unwrap();
    let completed = spot_rescue::clock::parse("2026-11-23T10:07:00Z").ok();
    assert_eq!(found[0].completed, completed);
    assert_has(
        &wire.only_request(),
        &[
            ("Filter.1.Name", "tag-key"),
            ("Filter.1.Value.1", "spot-rescue:consistency"),
            ("Owner.1", "self"),
        ],
    );
}
