//! Route 53: a listing that goes on with other names, and a change of one address.

use super::replay::{Answer, Wire, ok};
use spot_rescue::cloud::{Class, Cloud};
use spot_rescue::dns::{DnsName, RecordSet, RecordType, Says};
use spot_rescue::step::{Action, PointName};

fn name() -> DnsName {
    DnsName::parse("Z0123456789ABCDEFGHIJ db.example.org").expect("a zone and a name")
}

fn set(name: &str, kind: &str, more: &str) -> String {
    format!("<ResourceRecordSet><Name>{name}</Name><Type>{kind}</Type>{more}</ResourceRecordSet>")
}

fn says(ttl: u32, value: &str) -> String {
    format!(
        "<TTL>{ttl}</TTL><ResourceRecords><ResourceRecord><Value>{value}</Value></ResourceRecord>\
         </ResourceRecords>"
    )
}

fn page(sets: &[String], next: &str) -> Answer {
    let truncated = !next.is_empty();
    ok(format!(
        "<?xml version=\"1.0\"?><ListResourceRecordSetsResponse \
         xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><ResourceRecordSets>{}\
         </ResourceRecordSets><IsTruncated>{truncated}</IsTruncated>{next}<MaxItems>20</MaxItems>\
         </ListResourceRecordSetsResponse>",
        sets.concat()
    ))
}

fn error(status: u16, code: &str) -> Answer {
    let body = format!(
        "<ErrorResponse xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><Error><Type>Sender</Type>\
         <Code>{code}</Code><Message>no</Message></Error><RequestId>r-1</RequestId></ErrorResponse>"
    );
    Answer::Says(status, body)
}

fn address(kind: RecordType, ttl: i64, value: &str) -> RecordSet {
    let values = vec![value.to_owned()];
    let says = Says::Addresses { ttl, values };
    RecordSet { kind, says }
}

/// "The results begin with the first resource record set that has a name greater than or equal to the value of name":
/// it may be another name's.
#[tokio::test]
async fn a_listing_ends_where_the_name_does() {
    let wire = Wire::new([page(
        &[
            set("db.example.org.", "A", &says(60, "10.0.0.10")),
            set("db.example.org.", "TXT", &says(60, "&quot;x&quot;")),
            set("db.example.org.", "AAAA", &says(61, "2001:db8::10")),
            set("dbs.example.org.", "A", &says(60, "10.0.0.11")),
        ],
        "",
    )]);
    let found = wire.aws.record_sets(&name()).await.unwrap();
    let wanted = [
        address(RecordType::A, 60, "10.0.0.10"),
        address(RecordType::Aaaa, 61, "2001:db8::10"),
    ];
    assert_eq!(found, wanted);
    let uri = &wire.uris()[0];
    assert!(
        uri.contains("/hostedzone/Z0123456789ABCDEFGHIJ/rrset?"),
        "{uri}"
    );
    assert!(
        uri.contains("name=db.example.org") && uri.contains("maxitems=20"),
        "{uri}"
    );
}

/// The name does not exist: the first that comes is another, and a wildcard is written with an escape.
#[tokio::test]
async fn the_next_name_is_not_the_one_asked_for() {
    let wire = Wire::new([page(
        &[set("\\052.example.org.", "A", &says(60, "10.0.0.11"))],
        "",
    )]);
    assert_eq!(wire.aws.record_sets(&name()).await.unwrap(), []);
}

#[tokio::test]
async fn the_next_page_begins_where_the_last_one_says() {
    let next = "<NextRecordName>db.example.org.</NextRecordName><NextRecordType>AAAA</NextRecordType>\
                <NextRecordIdentifier>blue</NextRecordIdentifier>";
    let other = "<NextRecordName>x.example.org.</NextRecordName><NextRecordType>A</NextRecordType>";
    let special = "<SetIdentifier>blue</SetIdentifier><Weight>1</Weight>";
    let weighted = format!("{special}{}", says(60, "2001:db8::10"));
    let wire = Wire::new([
        page(&[set("db.example.org.", "A", &says(60, "10.0.0.10"))], next),
        page(&[set("db.example.org.", "AAAA", &weighted)], other),
    ]);
    let found = wire.aws.record_sets(&name()).await.unwrap();
    assert_eq!(found[0], address(RecordType::A, 60, "10.0.0.10"));
    assert!(matches!(
        found[1].says,
        Says::Special("one of several with the name")
    ));
    let uri = &wire.uris()[1];
    assert!(
        uri.contains("type=AAAA") && uri.contains("identifier=blue"),
        "{uri}"
    );
}

/// Properties that a change of only name, type, TTL and value would remove.
#[tokio::test]
async fn a_record_set_that_is_more_than_an_address_is_told_from_one() {
    let alias = "<AliasTarget><HostedZoneId>Z1</HostedZoneId><DNSName>x.example.org.</DNSName>\
                 <EvaluateTargetHealth>false</EvaluateTargetHealth></AliasTarget>";
    let checked = format!("{}<HealthCheckId>h</HealthCheckId>", says(60, "10.0.0.10"));
    let policy = format!(
        "{}<TrafficPolicyInstanceId>t</TrafficPolicyInstanceId>",
        says(60, "10.0.0.10")
    );
    for (more, what) in [
        (alias, "an alias"),
        (checked.as_str(), "bound to a health check"),
        (policy.as_str(), "made by a traffic policy"),
    ] {
        let wire = Wire::new([page(&[set("db.example.org.", "A", more)], "")]);
        let found = wire.aws.record_sets(&name()).await.unwrap();
        assert_eq!(found[0].says, Says::Special(what));
    }
}

#[tokio::test]
async fn one_address_is_written_over_with_its_ttl() {
    let answer = "<ChangeResourceRecordSetsResponse xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\">\
                  <ChangeInfo><Id>/change/C1</Id><Status>PENDING</Status>\
                  <SubmittedAt>2026-11-23T10:00:00Z</SubmittedAt></ChangeInfo>\
                  </ChangeResourceRecordSetsResponse>";
    let wire = Wire::new([ok(answer)]);
    let point = Action::PointName(PointName {
        name: name(),
        kind: RecordType::A,
        ttl: 37,
        address: "10.0.0.20".to_owned(),
    });
    assert_eq!(wire.aws.act(&point).await.unwrap(), "/change/C1");
    let [body] = <[String; 1]>::try_from(wire.bodies()).unwrap();
    let change = "<Change><Action>UPSERT</Action><ResourceRecordSet><Name>db.example.org</Name>\
                  <Type>A</Type><TTL>37</TTL><ResourceRecords><ResourceRecord><Value>10.0.0.20</Value>\
                  </ResourceRecord></ResourceRecords></ResourceRecordSet></Change>";
    assert!(body.contains(change), "{body}");
    assert_eq!(body.matches("<Change>").count(), 1);
}

/// Half an answer, or none, is no empty list; a denial will be denied again.
#[tokio::test]
async fn an_error_is_no_empty_list_and_says_what_it_is() {
    for (status, code, class, tries) in [
        (400, "Throttling", Class::Transient, 3),
        (400, "PriorRequestNotComplete", Class::Transient, 3),
        (403, "AccessDenied", Class::Denied, 1),
        (404, "NoSuchHostedZone", Class::Permanent, 1),
    ] {
        let wire = Wire::new((0..tries).map(|_| error(status, code)));
        let failed = wire.aws.record_sets(&name()).await.unwrap_err();
        assert_eq!((failed.code.as_str(), failed.class), (code, class));
        assert_eq!(wire.uris().len(), tries, "{code}");
        assert_eq!(failed.request_id.as_deref(), Some("request-in-header"));
    }
}
