//! The people of the demo: who they are, where they sit and what they work with. All invented, but for two names that everybody knows.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use orgtrail::identity::role::Role;
use orgtrail::identity::viewer::Origin;

/// Somebody of Acme Robotics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Person {
    /// Full name.
    pub name: &'static str,
    /// What stands before `@acme.example`.
    pub mailbox: &'static str,
    /// Where they work.
    pub place: Place,
    /// The role they join with.
    pub role: Role,
}

/// Where somebody works, and so when and from which address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The head office: everybody behind one address.
    Berlin,
    /// The second office, behind an IPv6 network.
    Boston,
    /// At home in Europe or Africa.
    Home,
    /// At home in Asia.
    FarEast,
    /// In the machine room: continuous integration.
    Machine,
}

/// Index of a person in [`PEOPLE`].
pub(super) type Who = usize;

/// The owner and founder.
pub(super) const ADA: Who = 0;
/// The admin whose sign-in is printed.
pub(super) const GRACE: Who = 1;
/// The member whose sign-in is printed.
pub(super) const LINUS: Who = 2;
/// The robot that makes a token for each build.
pub(super) const ROBOT: Who = 3;
/// Admins who look after security, besides Grace.
pub(super) const AUDITORS: [Who; 3] = [4, 5, 6];
/// Engineers who take turns at being on call, and are admins for that week.
pub(super) const ON_CALL: [Who; 6] = [7, 8, 9, 10, 11, 12];

const fn person(name: &'static str, mailbox: &'static str, place: Place, role: Role) -> Person {
    Person { name, mailbox, place, role }
}

const fn member(name: &'static str, mailbox: &'static str, place: Place) -> Person {
    person(name, mailbox, place, Role::Member)
}

/// Everybody, in the order in which they join.
pub(super) const PEOPLE: [Person; 62] = [
    person("Ada Lovelace", "owner", Place::Berlin, Role::Owner),
    person("Grace Hopper", "admin", Place::Boston, Role::Admin),
    member("Linus Fjällström", "member", Place::Home),
    person("Build Robot", "build-robot", Place::Machine, Role::Admin),
    person("Priya Raghunathan", "priya.raghunathan", Place::FarEast, Role::Admin),
    person("Tomás Echeverría", "tomas.echeverria", Place::Berlin, Role::Admin),
    person("Ingrid Solbakken", "ingrid.solbakken", Place::Home, Role::Admin),
    member("Amara Okonjo", "amara.okonjo", Place::Home),
    member("Mateusz Wiśniowski", "mateusz.wisniowski", Place::Berlin),
    member("Noa Ben-Ami", "noa.ben-ami", Place::Berlin),
    member("Ravi Deshmukhar", "ravi.deshmukhar", Place::FarEast),
    member("Chloé Vauquelin", "chloe.vauquelin", Place::Berlin),
    member("Dwayne Castellan", "dwayne.castellan", Place::Boston),
    member("Zoë Ångmark", "zoe.angmark", Place::Home),
    member("李 静怡", "li.jingyi", Place::FarEast),
    member("Нина Соколовская", "nina.sokolovskaya", Place::Berlin),
    member("山中 健太", "yamanaka.kenta", Place::FarEast),
    member("Siobhán O’Dwyer", "siobhan.odwyer", Place::Home),
    member("Jürgen Weißhaupt", "juergen.weisshaupt", Place::Berlin),
    member("Γιώργος Παπαδάκος", "giorgos.papadakos", Place::Home),
    member("Fatima az-Zahrani", "fatima.azzahrani", Place::Home),
    member("Keanu Kahananui", "keanu.kahananui", Place::Boston),
    member("Beatriz Quintanilha", "beatriz.quintanilha", Place::Home),
    member("Oluwaseun Adeyinka", "oluwaseun.adeyinka", Place::Home),
    member("Małgorzata Jabłkowska", "malgorzata.jablkowska", Place::Berlin),
    member("Pekka Ylitalo", "pekka.ylitalo", Place::Home),
    member("Hannah Steinmetzler", "hannah.steinmetzler", Place::Berlin),
    member("Carlos Montebello", "carlos.montebello", Place::Boston),
    member("Thandiwe Mokoenane", "thandiwe.mokoenane", Place::Home),
    member("Emre Karayel", "emre.karayel", Place::Berlin),
    member("Lucía Belmontero", "lucia.belmontero", Place::Home),
    member("Aoife Brannigan", "aoife.brannigan", Place::Home),
    member("Bartholomew Finch", "bartholomew.finch", Place::Boston),
    member("Sofia Lindqvister", "sofia.lindqvister", Place::Home),
    member("Đặng Minh Quân", "dang.minhquan", Place::FarEast),
    member("Arjun Malhotran", "arjun.malhotran", Place::FarEast),
    member("Wilhelmina van der Zande", "wilhelmina.vanderzande", Place::Home),
    member("Kofi Asantewa", "kofi.asantewa", Place::Home),
    member("Eszter Halmosi", "eszter.halmosi", Place::Berlin),
    member("Gabriel Côté-Lévesque", "gabriel.cote", Place::Boston),
    member("محمد الحدادي", "mohammed.alhaddadi", Place::Home),
    member("Yuki Hoshizora", "yuki.hoshizora", Place::FarEast),
    member("Marek Dvořáček", "marek.dvoracek", Place::Berlin),
    member("Anneliese Rautenberg", "anneliese.rautenberg", Place::Berlin),
    member("Tyrone Whitlock-Hayes", "tyrone.whitlock", Place::Boston),
    member("Leilani Akamai", "leilani.akamai", Place::Boston),
    member("Ioana Brâncoveanu", "ioana.brancoveanu", Place::Home),
    member("Henrik Østergaardsen", "henrik.oestergaardsen", Place::Home),
    member("김 서연", "kim.seoyeon", Place::FarEast),
    member("Camille Desrosières", "camille.desrosieres", Place::Home),
    member("Rosalind Achterberg", "rosalind.achterberg", Place::Boston),
    member("Nkechi Umeadi", "nkechi.umeadi", Place::Home),
    member("Viktor Hrabal", "viktor.hrabal", Place::Berlin),
    member("Maeve Tullamore", "maeve.tullamore", Place::Home),
    member("Santiago Urrutia", "santiago.urrutia", Place::Boston),
    member("Ayşe Gündoğdu", "ayse.guendogdu", Place::Berlin),
    member("Benedikt Sonnleitner", "benedikt.sonnleitner", Place::Berlin),
    member("Imani Wanjirukato", "imani.wanjirukato", Place::Home),
    member("Dariusz Kowalewicz", "dariusz.kowalewicz", Place::Berlin),
    member("Paola Ferrigni", "paola.ferrigni", Place::Home),
    member("Tanvi Subramanyan", "tanvi.subramanyan", Place::FarEast),
    member("Jonas Eberhardsen", "jonas.eberhardsen", Place::Berlin),
];

impl Person {
    /// E-mail address, the one to sign in with.
    pub(super) fn email(&self) -> String {
        format!("{}@acme.example", self.mailbox)
    }
}

impl Place {
    /// Hours by which the day begins earlier (negative: later) than in Greenwich.
    pub(super) const fn hours_ahead(self) -> i64 {
        match self {
            Self::Berlin | Self::Home => 1,
            Self::Boston => -5,
            Self::FarEast => 7,
            Self::Machine => 0,
        }
    }
}

/// Browsers in use; everybody keeps theirs.
const BROWSERS: [&str; 5] = [
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.4 Safari/605.1.15",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:141.0) Gecko/20100101 Firefox/141.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:141.0) Gecko/20100101 Firefox/141.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Safari/537.36 Edg/139.0.0.0",
];

/// Where the request of `who` comes from: addresses of the ranges for documentation alone (RFC 5737, RFC 3849).
pub(super) fn origin(who: Who, request_id: String) -> Origin {
    let place = PEOPLE[who].place;
    let user_agent =
        if place == Place::Machine { "acme-ci/4.2 (+https://ci.acme.example)" } else { BROWSERS[who % BROWSERS.len()] };
    Origin {
        ip: Some(address(who, place).to_string()),
        user_agent: Some(user_agent.to_owned()),
        request_id: Some(request_id),
        mutation: None,
    }
}

fn address(who: Who, place: Place) -> IpAddr {
    let host = u8::try_from(who).unwrap_or_default();
    match place {
        Place::Berlin => Ipv4Addr::new(192, 0, 2, 14).into(),
        Place::Boston => Ipv6Addr::new(0x2001, 0xdb8, 0xb05, 0x70, 0, 0, 0, u16::from(host) + 0x100).into(),
        Place::Home => Ipv4Addr::new(203, 0, 113, 20 + host).into(),
        Place::FarEast => Ipv6Addr::new(0x2001, 0xdb8, 0xa51a, u16::from(host), 0x5c1, 0x22ff, 0xfe40, 0x1d).into(),
        Place::Machine => Ipv4Addr::new(198, 51, 100, 20).into(),
    }
}

/// Where somebody sits who guesses passwords.
pub(super) fn burglar(request_id: String) -> Origin {
    let user_agent = Some("python-requests/2.32.4".to_owned());
    Origin { ip: Some("198.51.100.199".to_owned()), user_agent, request_id: Some(request_id), mutation: None }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use orgtrail::identity::email::Email;

    #[test]
    fn everybody_is_somebody_else_and_can_have_an_account() {
        let emails: HashSet<_> = PEOPLE.iter().map(|person| Email::parse(&person.email()).unwrap().key()).collect();
        let names: HashSet<_> = PEOPLE.iter().map(|person| person.name).collect();
        assert_eq!((emails.len(), names.len()), (PEOPLE.len(), PEOPLE.len()));
    }

    #[test]
    fn the_printed_sign_ins_are_who_they_say() {
        let printed = [ADA, GRACE, LINUS].map(|who| (PEOPLE[who].email(), PEOPLE[who].role));
        let expected = [("owner", Role::Owner), ("admin", Role::Admin), ("member", Role::Member)];
        assert_eq!(printed, expected.map(|(mailbox, role)| (format!("{mailbox}@acme.example"), role)));
    }

    #[test]
    fn addresses_are_for_documentation() {
        for who in 0..PEOPLE.len() {
            let ip = origin(who, String::new()).ip.unwrap();
            assert!(
                ["192.0.2.", "198.51.100.", "203.0.113.", "2001:db8:"].iter().any(|range| ip.starts_with(range)),
                "{ip}"
            );
        }
    }
}
