//! The head's Spot Instance request.

use crate::event::InstanceAction;
use crate::id::RequestId;
use crate::situation::SpotRequest;

/// What never changes of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedRequest {
    pub id: RequestId,
    pub persistent: bool,
    pub behaviour: InstanceAction,
}

impl RecordedRequest {
    #[must_use]
    pub fn of(request: &SpotRequest) -> Self {
        Self {
            id: request.id.clone(),
            persistent: request.persistent,
            behaviour: request.behaviour,
        }
    }

    #[must_use]
    pub fn text(&self) -> String {
        let Self {
            id,
            persistent,
            behaviour,
        } = self;
        let kind = if *persistent {
            "persistent"
        } else {
            "one-time"
        };
        format!("{id} {kind} {behaviour}")
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        Some(Self {
            id: words.next()?.parse().ok()?,
            persistent: words.next()? == "persistent",
            behaviour: InstanceAction::parse(words.next()?)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_back() {
        for text in [
            "sir-q2ci6n6k persistent stop",
            "sir-08b93456 one-time terminate",
        ] {
            assert_eq!(RecordedRequest::parse(text).unwrap().text(), text);
        }
        for bad in [
            "",
            "sir-q2ci6n6k",
            "sir-q2ci6n6k persistent",
            "x persistent stop",
        ] {
            assert_eq!(RecordedRequest::parse(bad), None, "{bad}");
        }
    }
}
