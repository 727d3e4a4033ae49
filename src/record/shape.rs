//! The tag `spot-rescue:shape`: the properties of the head's type, read before they are needed.

use crate::situation::Shape;

#[must_use]
pub fn shape_text(shape: &Shape) -> String {
    let Shape {
        instance_type,
        vcpus,
        memory_mib,
        architectures,
        current_generation,
        burstable,
        bare_metal,
        local_storage,
        accelerated,
    } = shape;
    let flags = [
        (current_generation, "current"),
        (burstable, "burstable"),
        (bare_metal, "bare-metal"),
        (local_storage, "local-storage"),
        (accelerated, "accelerated"),
    ];
    let mut words = vec![
        instance_type.clone(),
        format!("vcpus={vcpus}"),
        format!("memory={memory_mib}"),
        format!("architectures={}", architectures.join("+")),
    ];
    let set = flags.into_iter().filter(|(flag, _)| **flag);
    words.extend(set.map(|(_, name)| name.to_owned()));
    words.join(" ")
}

/// None without a type, processors and memory: the function never writes such a tag.
#[must_use]
pub fn shape_from(text: &str) -> Option<Shape> {
    let mut words = text.split_whitespace();
    let mut shape = Shape {
        instance_type: words.next()?.to_owned(),
        ..Shape::default()
    };
    for word in words {
        match word.split_once('=').unwrap_or((word, "")) {
            ("vcpus", n) => shape.vcpus = n.parse().ok()?,
            ("memory", n) => shape.memory_mib = n.parse().ok()?,
            ("architectures", list) => {
                shape.architectures = list.split('+').map(str::to_owned).collect();
            }
            ("current", _) => shape.current_generation = true,
            ("burstable", _) => shape.burstable = true,
            ("bare-metal", _) => shape.bare_metal = true,
            ("local-storage", _) => shape.local_storage = true,
            ("accelerated", _) => shape.accelerated = true,
            _ => {}
        }
    }
    (shape.vcpus > 0 && shape.memory_mib > 0).then_some(shape)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_survives_the_tag() {
        let text = "t3.small vcpus=2 memory=2048 architectures=x86_64+i386 current burstable";
        assert_eq!(shape_text(&shape_from(text).unwrap()), text);
        assert_eq!(shape_from("t3.small current"), None);
        assert_eq!(shape_from(""), None);
    }
}
