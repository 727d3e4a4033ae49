//! The query protocol: form-encoded parameters with numbered lists.

use std::collections::BTreeMap;

#[derive(Debug, Default)]
pub struct Parameters(BTreeMap<String, String>);

impl Parameters {
    pub fn parse(body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body);
        let pairs = text.split('&').filter_map(|it| it.split_once('='));
        Self(
            pairs
                .map(|(name, value)| (decoded(name), decoded(value)))
                .collect(),
        )
    }

    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// `Name.1`, `Name.2`, …: the values.
    pub fn list(&self, name: &str) -> Vec<String> {
        self.members(name)
            .map(|it| self.get(&it).to_owned())
            .collect()
    }

    /// `Name.1`, `Name.2`, …: the names.
    pub fn members(&self, name: &str) -> impl Iterator<Item = String> {
        let names = (1..).map(move |n| format!("{name}.{n}"));
        let names = names.map(|it| (self.starts(&it), it));
        names.take_while(|(exists, _)| *exists).map(|(_, it)| it)
    }

    fn starts(&self, prefix: &str) -> bool {
        let mut from = self.0.range(prefix.to_owned()..);
        // The name itself, or one that goes on with a dot; ".1" must not be taken for ".10".
        let dotted = format!("{prefix}.");
        from.next().is_some_and(|(name, _)| name == prefix)
            || self
                .0
                .range(dotted.clone()..)
                .next()
                .is_some_and(|(name, _)| name.starts_with(&dotted))
    }

    /// `Filter.n.Name` and `Filter.n.Value.m`.
    pub fn filters(&self) -> Vec<(String, Vec<String>)> {
        let filters = self.members("Filter").map(|it| {
            let values = self.list(&format!("{it}.Value"));
            (self.get(&format!("{it}.Name")).to_owned(), values)
        });
        filters.collect()
    }
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits = [rest.next().unwrap_or(b'0'), rest.next().unwrap_or(b'0')];
                let digits = String::from_utf8_lossy(&digits).into_owned();
                bytes.push(u8::from_str_radix(&digits, 16).unwrap_or(b'?'));
            }
            other => bytes.push(other),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
