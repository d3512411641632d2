//! The other products: what they have, what happens to it, and what its state looks like.

/// A sort of thing that one of the products has.
pub(super) struct Sort {
    /// Position of its product's token in the demo's list of tokens that send events.
    pub source: usize,
    /// Type of the object.
    pub object_type: &'static str,
    /// Its ids begin with this.
    pub prefix: &'static str,
    /// How many there are: a history has many events.
    pub count: u32,
    /// What it is called, before its number.
    pub names: &'static [&'static str],
    /// Its state, besides id, name, status and version.
    pub fields: &'static [(&'static str, Values)],
    /// What happens to it, and how often compared with the others.
    pub actions: &'static [(&'static str, u32, Effect)],
}

/// What a field may hold.
#[derive(Clone, Copy)]
pub(super) enum Values {
    /// One of some words.
    Of(&'static [&'static str]),
    /// An amount of money.
    Amount,
    /// A number below this.
    Below(u32),
    /// A day.
    Day,
    /// A sentence somebody wrote.
    Note,
    /// Who is responsible.
    Person,
    /// Yes or no.
    Flag,
    /// A few labels.
    Labels,
}

/// What an action does to the state.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// There was none before.
    Creates,
    /// It has this status afterwards.
    Becomes(&'static str),
    /// Another field has another value afterwards: the one at this position.
    Alters(usize),
    /// There is none afterwards.
    Deletes,
}

use Effect::{Alters, Becomes, Creates, Deletes};
use Values::{Amount, Below, Day, Flag, Labels, Note, Of, Person};

const CURRENCIES: Values = Of(&["EUR", "USD", "GBP", "JPY", "PLN"]);
const REGIONS: Values = Of(&["eu-central", "us-east", "ap-south"]);
const SITES: Values = Of(&["Halle 3", "Dock 12", "Łódź", "名古屋工場", "Werk Süd", "Pier 7"]);

/// Everything that happens; no name is one of the catalogue's.
pub(super) const SORTS: [Sort; 8] = [
    Sort {
        source: 0,
        object_type: "invoice",
        prefix: "inv",
        count: 20_000,
        names: &["INV-2026", "=INV", "CREDIT-2026"],
        fields: &[("customer", Person), ("amount", Amount), ("currency", CURRENCIES), ("due", Day), ("note", Note)],
        actions: &[
            ("invoice.created", 9, Creates),
            ("invoice.paid", 9, Becomes("paid")),
            ("invoice.voided", 1, Becomes("void")),
            ("invoice.reminder.sent", 3, Alters(3)),
        ],
    },
    Sort {
        source: 0,
        object_type: "subscription",
        prefix: "sub",
        count: 3_000,
        names: &["Fleet plan", "Starter plan", "+Support"],
        fields: &[
            ("plan", Of(&["starter", "fleet", "enterprise"])),
            ("seats", Below(900)),
            ("amount", Amount),
            ("currency", CURRENCIES),
            ("renews", Day),
            ("note", Note),
        ],
        actions: &[
            ("subscription.upgraded", 2, Alters(0)),
            ("subscription.seats.changed", 4, Alters(1)),
            ("subscription.cancelled", 1, Becomes("cancelled")),
        ],
    },
    Sort {
        source: 0,
        object_type: "payment",
        prefix: "pay",
        count: 15_000,
        names: &["Card payment", "SEPA-Lastschrift", "-refund"],
        fields: &[
            ("amount", Amount),
            ("currency", CURRENCIES),
            ("method", Of(&["card", "sepa", "wire"])),
            ("attempts", Below(4)),
            ("note", Note),
        ],
        actions: &[
            ("payment.received", 8, Creates),
            ("payment.failed", 2, Becomes("failed")),
            ("payment.refunded", 1, Becomes("refunded")),
        ],
    },
    Sort {
        source: 1,
        object_type: "robot",
        prefix: "rob",
        count: 2_500,
        names: &["Arm 7", "Mule", "Gripper", "@Scout", "ロボット"],
        fields: &[
            ("site", SITES),
            ("firmware", Of(&["4.12.3", "4.13.0", "5.0.0-rc.2"])),
            ("battery", Below(101)),
            ("supervised", Flag),
            ("labels", Labels),
        ],
        actions: &[
            ("robot.paired", 1, Creates),
            ("robot.firmware.updated", 6, Alters(1)),
            ("robot.moved", 8, Alters(0)),
            ("robot.emergency_stopped", 2, Becomes("stopped")),
            ("robot.retired", 1, Deletes),
        ],
    },
    Sort {
        source: 1,
        object_type: "mission",
        prefix: "mis",
        count: 30_000,
        names: &["Pick run", "Night inventory", "Transport", "'Z' patrol"],
        fields: &[
            ("site", SITES),
            ("robot", Of(&["Arm 7", "Mule 12", "Gripper 3", "Scout 44"])),
            ("items", Below(400)),
            ("priority", Of(&["low", "normal", "urgent"])),
            ("note", Note),
        ],
        actions: &[
            ("mission.planned", 9, Creates),
            ("mission.finished", 9, Becomes("finished")),
            ("mission.aborted", 2, Becomes("aborted")),
        ],
    },
    Sort {
        source: 1,
        object_type: "deployment",
        prefix: "dep",
        count: 8_000,
        names: &["fleet-api", "vision", "warehouse-web", "gripper-control"],
        fields: &[
            ("version", Of(&["v4.12.3", "v4.13.0", "v4.13.1", "v5.0.0"])),
            ("region", REGIONS),
            ("replicas", Below(24)),
            ("started_by", Person),
            ("labels", Labels),
        ],
        actions: &[
            ("deployment.finished", 7, Becomes("live")),
            ("deployment.rolled_back", 1, Becomes("rolled back")),
            ("deployment.scaled", 3, Alters(2)),
        ],
    },
    Sort {
        source: 1,
        object_type: "document",
        prefix: "doc",
        count: 6_000,
        names: &["Betriebsanweisung", "=SUM(B2:B90)", "Safety \"sheet\", rev. 2", "+49 30 5550100", "作業手順書"],
        fields: &[
            ("folder", Of(&["Safety", "Contracts", "Verträge", "Spare parts"])),
            ("size", Below(9_000_000)),
            ("shared", Flag),
            ("editor", Person),
            ("note", Note),
        ],
        actions: &[
            ("document.uploaded", 3, Creates),
            ("document.shared", 3, Alters(2)),
            ("document.moved", 1, Alters(0)),
            ("document.deleted", 1, Deletes),
        ],
    },
    Sort {
        source: 1,
        object_type: "feature_flag",
        prefix: "flg",
        count: 120,
        names: &["new-checkout", "night-mode", "beta grasp planner"],
        fields: &[("enabled", Flag), ("rollout", Below(101)), ("region", REGIONS), ("owner", Person), ("note", Note)],
        actions: &[("feature_flag.enabled", 1, Alters(0)), ("feature_flag.rollout.changed", 2, Alters(1))],
    },
];

/// What somebody wrote, in the languages of the house; the first ones would be formulas in a spreadsheet.
pub(super) const NOTES: [&str; 16] = [
    "=IF(A1>100;\"late\";\"on time\") was in the old sheet",
    "+1 from Boston, see the thread",
    "-20 °C in the cold store: slower, as expected",
    "@ops please look again tomorrow",
    "Zahlung innerhalb von 30 Tagen, \"ohne Abzug\", auf das bekannte Konto",
    "Le client a demandé un délai ; c'est d'accord jusqu'à vendredi",
    "Revisado por el turno de noche; falta una firma",
    "顧客の依頼により変更しました。確認済み。",
    "По просьбе склада: перенесено на следующую неделю",
    "تم التحقق من الشحنة في المستودع",
    "Line one\nline two, with a comma\tand a tab",
    "Za zgodą kierownika zmiany (Łódź), bez uwag",
    "C:\\fleet\\exports\\2026 is full again",
    "Sprawdzono 👍🏽 / checked 🤖",
    "<b>not bold</b> & not a tag",
    "Nothing unusual",
];

/// Labels.
pub(super) const LABELS: [&str; 8] =
    ["urgent", "customer", "warranty", "audit", "très fragile", "夜勤", "retrofit", "q4"];

#[cfg(test)]
mod tests {
    use super::*;
    use orgtrail::audit::action::{Action, is_well_formed};

    #[test]
    fn actions_are_well_formed_and_not_the_platforms() {
        let actions: Vec<_> = SORTS.iter().flat_map(|sort| sort.actions).map(|(name, ..)| *name).collect();
        assert!(actions.len() >= 24);
        for name in actions {
            assert!(is_well_formed(name) && Action::parse(name).is_none(), "{name}");
        }
    }
}
