//! The sentences about cameras, in both languages, of one camera and of several.

use vigint_core::locale::Locale;

pub(super) struct Words {
    /// How the subject of a bad one begins.
    pub(super) alert: &'static str,
    pub(super) kicker: &'static str,
    pub(super) alert_kicker: &'static str,
    /// With the cameras' names.
    pub(super) are_silent: fn(&str) -> String,
    pub(super) are_back: fn(&str) -> String,
    pub(super) camera: &'static str,
    pub(super) place: &'static str,
    pub(super) last_picture: &'static str,
    pub(super) silent_since: &'static str,
    pub(super) back_since: &'static str,
    pub(super) happened_when_silent: &'static str,
    /// With the length of the gap.
    pub(super) happened_when_back: fn(&str) -> String,
    pub(super) can_mean: &'static str,
    pub(super) meanings: [&'static str; 4],
    pub(super) to_check: &'static str,
    pub(super) steps_when_silent: [&'static str; 5],
    pub(super) to_do: &'static str,
    pub(super) steps_when_back: [&'static str; 2],
    pub(super) automatic: &'static str,
}

const FRENCH: Words = Words {
    alert: "Alerte\u{A0}: ",
    kicker: "Vigint",
    alert_kicker: "Alerte Vigint",
    are_silent: |camera| format!("la caméra {camera} ne transmet plus"),
    are_back: |camera| format!("la caméra {camera} transmet de nouveau"),
    camera: "Caméra",
    place: "Lieu",
    last_picture: "Dernière image reçue",
    silent_since: "Sans image depuis",
    back_since: "De retour",
    happened_when_silent: "Le serveur ne reçoit plus d'images de cette caméra. Tant que cela dure, personne ne \
                           surveille ce qu'elle voit\u{A0}: il n'y aura ni alerte ni vidéo. Un autre message vous dira \
                           quand elle transmettra de nouveau.",
    happened_when_back: |gap| {
        format!(
            "Elle n'a rien transmis pendant {gap}. De cette période il n'y a ni image, ni vidéo, ni alerte. Elle est \
             de nouveau surveillée."
        )
    },
    can_mean: "Cela peut vouloir dire\u{A0}:",
    meanings: [
        "La caméra n'a plus de courant, ou son câble est débranché ou coupé, par accident ou exprès.",
        "Le réseau ou la connexion à Internet du lieu est en panne.",
        "L'ordinateur où fonctionne le programme de la caméra est éteint, en veille ou en panne de courant.",
        "Le programme s'est arrêté.",
    ],
    to_check: "Que vérifier, dans cet ordre",
    steps_when_silent: [
        "Les autres caméras du lieu transmettent-elles\u{A0}? Si aucune ne transmet, cherchez du côté du courant, \
         d'Internet ou de l'ordinateur\u{A0}; s'il n'y a que celle-ci, du côté de la caméra et de son câble.",
        "La caméra\u{A0}: a-t-elle du courant, son câble est-il branché et intact, n'est-elle ni couverte ni \
         déplacée\u{A0}?",
        "Le réseau\u{A0}: la box et les commutateurs sont-ils allumés, Internet fonctionne-t-il sur place\u{A0}?",
        "L'ordinateur\u{A0}: est-il allumé\u{A0}? Le programme fonctionne-t-il\u{A0}? Sinon, prévenez la personne qui \
         l'a installé\u{A0}: la commande vigint-client check lui dira ce qui ne va pas.",
        "Si vous soupçonnez une coupure volontaire, n'y allez pas seul.",
    ],
    to_do: "Que faire",
    steps_when_back: [
        "Si vous ne savez pas pourquoi elle ne transmettait plus, cherchez-le\u{A0}: cela peut recommencer.",
        "Voyez si tout est en ordre à cet endroit, puisque personne ne le surveillait.",
    ],
    automatic: "Message automatique de Vigint.",
};

const SEVERAL_FRENCH: Words = Words {
    are_silent: |cameras| format!("les caméras {cameras} ne transmettent plus"),
    are_back: |cameras| format!("les caméras {cameras} transmettent de nouveau"),
    camera: "Caméras",
    last_picture: "Sans image depuis (la première)",
    silent_since: "Sans image depuis (la première)",
    back_since: "Toutes de retour",
    happened_when_silent: "Le serveur ne reçoit plus d'images de ces caméras. Tant que cela dure, personne ne surveille \
                           ce qu'elles voient\u{A0}: il n'y aura ni alerte ni vidéo. Un autre message vous dira quand \
                           elles transmettront de nouveau.",
    happened_when_back: |gap| {
        format!(
            "Elles n'ont rien transmis, la première pendant {gap}. De cette période il n'y a ni image, ni vidéo, ni \
             alerte. Elles sont de nouveau surveillées."
        )
    },
    meanings: [
        "Le courant est coupé sur place, par accident ou exprès.",
        "Le réseau ou la connexion à Internet du lieu est en panne.",
        "L'ordinateur où fonctionne le programme des caméras est éteint, en veille ou en panne de courant.",
        "Le programme s'est arrêté.",
    ],
    steps_when_silent: [
        "Les autres caméras du lieu transmettent-elles\u{A0}? Si aucune ne transmet, cherchez du côté du courant, \
         d'Internet ou de l'ordinateur\u{A0}; s'il n'y a que celles-ci, du côté de ce qu'elles ont en commun.",
        "Les caméras\u{A0}: ont-elles du courant, leurs câbles sont-ils branchés et intacts, ne sont-elles ni couvertes \
         ni déplacées\u{A0}?",
        FRENCH.steps_when_silent[2],
        FRENCH.steps_when_silent[3],
        FRENCH.steps_when_silent[4],
    ],
    steps_when_back: [
        "Si vous ne savez pas pourquoi elles ne transmettaient plus, cherchez-le\u{A0}: cela peut recommencer.",
        "Voyez si tout est en ordre à ces endroits, puisque personne ne les surveillait.",
    ],
    ..FRENCH
};

const ENGLISH: Words = Words {
    alert: "Alert: ",
    kicker: "Vigint",
    alert_kicker: "Vigint alert",
    are_silent: |camera| format!("camera {camera} has stopped sending pictures"),
    are_back: |camera| format!("camera {camera} is sending pictures again"),
    camera: "Camera",
    place: "Place",
    last_picture: "Last picture",
    silent_since: "No pictures since",
    back_since: "Back",
    happened_when_silent: "The server no longer gets pictures from this camera. While this lasts nobody watches what \
                           it sees: there will be no alerts and no videos. Another message will tell you when it \
                           sends again.",
    happened_when_back: |gap| {
        format!(
            "It sent nothing for {gap}. There are no pictures, videos or alerts from that time. It is watched again."
        )
    },
    can_mean: "It can mean:",
    meanings: [
        "The camera has no power, or its cable is unplugged or cut, by accident or on purpose.",
        "The network there, or its connection to the Internet, is down.",
        "The computer that runs the camera's program is off, asleep or without power.",
        "The program has stopped.",
    ],
    to_check: "What to check, in this order",
    steps_when_silent: [
        "Do the other cameras there still send? If none does, look at the power, the Internet or the computer; if it \
         is only this one, at the camera and its cable.",
        "The camera: does it have power, is its cable plugged in and whole, is it neither covered nor moved?",
        "The network: are the router and the switches on, does the Internet work there?",
        "The computer: is it on? Does the program run? If not, tell whoever installed it: the command vigint-client \
         check says what is wrong.",
        "If you suspect that it was cut on purpose, do not go there alone.",
    ],
    to_do: "What to do",
    steps_when_back: [
        "If you do not know why it stopped, find out: it can happen again.",
        "See whether all is well there, for nobody was watching.",
    ],
    automatic: "Automatic message from Vigint.",
};

const SEVERAL_ENGLISH: Words = Words {
    are_silent: |cameras| format!("cameras {cameras} have stopped sending pictures"),
    are_back: |cameras| format!("cameras {cameras} are sending pictures again"),
    camera: "Cameras",
    last_picture: "No pictures since (the first)",
    silent_since: "No pictures since (the first)",
    back_since: "All back",
    happened_when_silent: "The server no longer gets pictures from these cameras. While this lasts nobody watches what \
                           they see: there will be no alerts and no videos. Another message will tell you when they \
                           send again.",
    happened_when_back: |gap| {
        format!(
            "They sent nothing, the first of them for {gap}. There are no pictures, videos or alerts from that time. \
             They are watched again."
        )
    },
    meanings: [
        "The power there is off, by accident or on purpose.",
        "The network there, or its connection to the Internet, is down.",
        "The computer that runs the cameras' program is off, asleep or without power.",
        "The program has stopped.",
    ],
    steps_when_silent: [
        "Do the other cameras there still send? If none does, look at the power, the Internet or the computer; if it \
         is only these, at what they have in common.",
        "The cameras: do they have power, are their cables plugged in and whole, are they neither covered nor moved?",
        ENGLISH.steps_when_silent[2],
        ENGLISH.steps_when_silent[3],
        "If you suspect that they were cut on purpose, do not go there alone.",
    ],
    steps_when_back: [
        "If you do not know why they stopped, find out: it can happen again.",
        "See whether all is well there, for nobody was watching.",
    ],
    ..ENGLISH
};

pub(super) const fn words(locale: Locale, cameras: usize) -> &'static Words {
    match (locale, cameras > 1) {
        (Locale::French, false) => &FRENCH,
        (Locale::French, true) => &SEVERAL_FRENCH,
        (Locale::English, false) => &ENGLISH,
        (Locale::English, true) => &SEVERAL_ENGLISH,
    }
}
