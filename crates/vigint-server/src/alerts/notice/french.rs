//! The sentences in French.

use vigint_core::locale::Locale;
use vigint_core::text::{clean_line, sentence};

use super::{
    Meanings, Texts, Told, list, megabytes, money, raise_budget, revoke, rotate, short_name,
};
use crate::alerts::message::{Fact, Frame, Step};
use crate::notices::{Notice, NoticedKey, SeenKey};

const LOCALE: Locale = Locale::French;

pub(super) fn texts(told: &Told<'_>) -> Texts {
    Texts {
        frame: Frame::new(
            LOCALE,
            "Vigint",
            heading(told),
            vec![footer(told.notice).to_owned()],
        ),
        happened: happened(told.notice),
        facts: facts(told),
        meanings: meanings(told.notice),
        to_do: "Que faire",
        steps: if told.is_for_operator() {
            steps_of_operator(told)
        } else {
            steps_of_client(told.notice)
        },
    }
}

const fn footer(notice: &Notice) -> &'static str {
    match notice {
        Notice::BudgetReached { .. } => "Message automatique de Vigint.",
        _ => "Message automatique de Vigint, au plus une fois par heure sur le même sujet.",
    }
}

fn heading(told: &Told<'_>) -> String {
    let whose = |key: &NoticedKey| {
        let key = short_name(key);
        if told.is_for_operator() {
            format!("{}\u{A0}: clé {key}", told.client_name())
        } else {
            format!("Votre clé {key}")
        }
    };
    match told.notice {
        Notice::KeyInUrl { seen } => {
            format!("{} transmise dans une adresse web", whose(&seen.key))
        }
        Notice::RevokedKeyUsed { seen, .. } => {
            format!("{} révoquée et encore utilisée", whose(&seen.key))
        }
        Notice::ExpiredKeyUsed { seen, .. } => {
            format!("{} expirée et encore utilisée", whose(&seen.key))
        }
        Notice::UnusualRate { key, .. } => {
            format!("{} utilisée bien plus que d'habitude", whose(key))
        }
        Notice::RefusedKeys {
            address, is_admin, ..
        } if *is_admin => {
            format!("Nombreuses clés d'administration erronées depuis {address}")
        }
        Notice::RefusedKeys { address, .. } => {
            format!("Nombreuses clés refusées depuis {address}")
        }
        Notice::BudgetReached { reached } => {
            let whose = match (reached.is_of_all, told.is_for_operator()) {
                (true, _) => "Tous les clients\u{A0}: ".to_owned(),
                (false, true) => format!("{}\u{A0}: ", told.client_name()),
                (false, false) => String::new(),
            };
            let spent = if reached.is_spent() {
                "le budget IA du mois est épuisé".to_owned()
            } else {
                format!(
                    "{}\u{A0}% du budget IA du mois sont dépensés",
                    reached.percent
                )
            };
            sentence(&format!("{whose}{spent}"))
        }
        Notice::DiskNearlyFull { .. } => {
            "Disque presque plein\u{A0}: les vidéos ne sont plus conservées".to_owned()
        }
        Notice::DiskHasRoom { .. } => {
            "Le disque a de nouveau de la place\u{A0}: les vidéos sont conservées".to_owned()
        }
    }
}

fn happened(notice: &Notice) -> String {
    match notice {
        Notice::KeyInUrl { .. } => {
            "Un programme a transmis cette clé dans une adresse web (après le point d'interrogation) au lieu d'un \
             en-tête. La requête a été refusée. Mais les adresses web sont notées en chemin, par les serveurs \
             mandataires, les navigateurs et dans les journaux\u{A0}: d'autres peuvent désormais connaître la clé. Elle \
             reste acceptée tant qu'elle n'est ni remplacée ni révoquée."
        }
        Notice::RevokedKeyUsed { .. } => {
            "Une requête est arrivée avec une clé révoquée. Elle a été refusée\u{A0}: personne n'entre avec cette clé."
        }
        Notice::ExpiredKeyUsed { .. } => {
            "Une requête est arrivée avec une clé dont la durée de validité, fixée d'avance, est écoulée, par exemple \
             parce qu'une autre l'a remplacée. Elle a été refusée\u{A0}: personne n'entre avec cette clé."
        }
        Notice::UnusualRate { .. } => {
            "En une minute, cette clé a fait au moins dix fois plus de requêtes que d'habitude. Elles ont reçu leur \
             réponse comme toujours, dans les limites fixées."
        }
        Notice::RefusedKeys {
            allowed, is_admin, ..
        } => {
            let whose = if *is_admin { " d'administration" } else { "" };
            return format!(
                "Plus de {allowed} clés{whose} venant de cette adresse ont été refusées en une minute. Pour le moment, \
                 les clés erronées qui en viennent encore sont seulement priées d'attendre\u{A0}; les bonnes clés qui en \
                 viennent sont acceptées."
            );
        }
        Notice::BudgetReached { reached } if reached.is_spent() => {
            "Ce que l'IA peut coûter pendant ce mois civil est dépensé. Jusqu'à la fin du mois (UTC), ou jusqu'à ce que \
             le budget soit relevé, la détection de mouvement intégrée juge à sa place. Elle voit que quelque chose \
             bouge, non ce que font les gens\u{A0}: attendez-vous à plus de messages sur des scènes anodines, sans second \
             examen pour les écarter. Images, vidéos et messages continuent comme toujours."
        }
        Notice::BudgetReached { .. } => {
            "La plus grande part de ce que l'IA peut coûter pendant ce mois civil est dépensée. Rien n'a encore changé. \
             Quand tout sera dépensé, la détection de mouvement intégrée jugera à sa place jusqu'à la fin du mois \
             (UTC)\u{A0}: elle voit que quelque chose bouge, non ce que font les gens."
        }
        Notice::DiskNearlyFull { .. } => {
            "Le disque sur lequel les vidéos des incidents sont conservées est presque plein. Pour que la base de \
             données et les messages gardent de la place, aucune nouvelle vidéo n'est conservée\u{A0}: les incidents sont \
             jugés, enregistrés et annoncés comme toujours, mais sans vidéo. Celles qui existent déjà restent visibles \
             jusqu'à la fin de leur durée. Dès qu'il y aura de nouveau de la place, les nouveaux incidents auront leur \
             vidéo sans que personne n'ait à intervenir."
        }
        Notice::DiskHasRoom { .. } => {
            "Le disque sur lequel les vidéos des incidents sont conservées était presque plein\u{A0}; il a de nouveau de la \
             place. Les incidents ont désormais leur vidéo. Ceux de l'intervalle n'en ont pas, sauf si leurs images \
             avaient été conservées avant."
        }
    }
    .to_owned()
}

fn facts(told: &Told<'_>) -> Vec<Fact> {
    let fact = |name, value: String| Fact::new(name, value);
    let mut facts = Vec::new();
    if let Some((id, _)) = told.client.filter(|_| told.is_for_operator()) {
        facts.push(fact(
            "Client",
            format!("{} (numéro {id})", told.client_name()),
        ));
    }
    if let Some(key) = told.notice.key() {
        facts.push(fact(
            "Clé",
            format!("{} (numéro {})", short_name(key), key.id),
        ));
    }
    let mut came = |seen: &SeenKey| {
        facts.push(fact("Reçue", told.seen(seen, LOCALE)));
        facts.push(fact("Depuis l'adresse", seen.address.to_string()));
    };
    match told.notice {
        Notice::KeyInUrl { seen } => came(seen),
        Notice::RevokedKeyUsed { seen, revoked_at } => {
            came(seen);
            if let Some(at) = revoked_at {
                facts.push(fact("Révoquée", told.time(*at, LOCALE)));
            }
        }
        Notice::ExpiredKeyUsed { seen, expired_at } => {
            came(seen);
            facts.push(fact("Expirée", told.time(*expired_at, LOCALE)));
        }
        Notice::UnusualRate {
            minute,
            requests,
            usual,
            ..
        } => {
            facts.push(fact("Minute", told.time(*minute, LOCALE)));
            facts.push(fact("Requêtes", requests.to_string()));
            facts.push(fact(
                "D'habitude",
                format!("{usual} par minute sur les sept derniers jours"),
            ));
        }
        Notice::RefusedKeys { at, .. } => facts.push(fact("Heure", told.time(*at, LOCALE))),
        Notice::BudgetReached { reached } => {
            let amount = |amount| money(amount, &reached.currency, LOCALE);
            facts.push(fact("Dépensé", amount(reached.spent)));
            facts.push(fact("Budget", amount(reached.most)));
        }
        Notice::DiskNearlyFull { disk } | Notice::DiskHasRoom { disk } => {
            let amount = |bytes| format!("{}\u{A0}Mo", megabytes(bytes));
            facts.push(fact("Dossier", clean_line(&disk.path)));
            facts.push(fact("Libre", amount(disk.free)));
            facts.push(fact("Nécessaire", amount(disk.needed)));
        }
    }
    facts
}

fn meanings(notice: &Notice) -> Option<Meanings> {
    let each = match notice {
        Notice::KeyInUrl { .. }
        | Notice::BudgetReached { .. }
        | Notice::DiskNearlyFull { .. }
        | Notice::DiskHasRoom { .. } => return None,
        Notice::RevokedKeyUsed { .. } | Notice::ExpiredKeyUsed { .. } => vec![
            "Une ancienne copie du programme fonctionne encore avec elle, sur un ordinateur où la nouvelle clé n'a \
             jamais été mise. Alors personne ne surveille ses caméras. Juste après un changement de clé, c'est normal \
             pendant quelques secondes.",
            "Quelqu'un d'autre a la clé et l'essaie.",
        ],
        Notice::UnusualRate { .. } => vec![
            "Il y a de nouvelles caméras, ou un programme envoie plus vite, ou sans cesse à la suite d'une panne.",
            "Quelqu'un d'autre utilise la clé.",
        ],
        Notice::RefusedKeys { is_admin, .. } if *is_admin => vec![
            "Un programme ou un favori a une clé d'administration ancienne ou mal recopiée.",
            "Quelqu'un cherche à la deviner. Elle est trop longue pour cela.",
        ],
        Notice::RefusedKeys { .. } => vec![
            "Un programme dont la clé est mal recopiée, révoquée ou expirée insiste.",
            "Quelqu'un cherche à deviner des clés. Celles que fait Vigint sont trop longues pour cela.",
        ],
    };
    Some(Meanings {
        intro: "Cela peut vouloir dire deux choses\u{A0}:",
        each,
    })
}

fn steps_of_client(notice: &Notice) -> Vec<Step> {
    match notice {
        Notice::KeyInUrl { seen } => vec![
            Step::new(format!(
                "Demandez à la personne qui gère Vigint pour vous une nouvelle clé à la place de la clé numéro {}.",
                seen.key.id
            )),
            Step::new(
                "Faites mettre la nouvelle clé, par la personne qui l'a installé, dans le programme qui envoie vos images. Il \
                 ne doit pas transmettre de clé dans une adresse web, mais dans un en-tête, comme vigint-client le fait \
                 de lui-même.",
            ),
            Step::new("Demandez ensuite que l'ancienne clé soit révoquée."),
        ],
        Notice::RevokedKeyUsed { .. } | Notice::ExpiredKeyUsed { .. } => vec![
            Step::new(
                "Regardez si l'adresse ci-dessus est une des vôtres. Si oui, mettez votre nouvelle clé dans le \
                 programme qui y fonctionne. Si vous n'en avez pas, demandez-la à la personne qui gère Vigint pour \
                 vous.",
            ),
            Step::new(
                "Sinon, prévenez la personne qui gère Vigint pour vous, et demandez-vous où cette clé était gardée\u{A0}: \
                 une clé gardée au même endroit devrait être remplacée, elle aussi.",
            ),
        ],
        Notice::UnusualRate { key, .. } => vec![
            Step::new(
                "Si vous en connaissez la raison, il n'y a rien à faire\u{A0}: cela comptera bientôt comme habituel.",
            ),
            Step::new(format!(
                "Sinon, demandez à la personne qui gère Vigint pour vous de révoquer la clé numéro {} et de vous en \
                 donner une nouvelle.",
                key.id
            )),
        ],
        // These are the operator's business.
        Notice::RefusedKeys { .. } | Notice::DiskNearlyFull { .. } | Notice::DiskHasRoom { .. } => {
            Vec::new()
        }
        Notice::BudgetReached { .. } => vec![Step::new(
            "Pour que l'IA continue, demandez à qui gère Vigint pour vous de relever le budget.",
        )],
    }
}

fn steps_of_operator(told: &Told<'_>) -> Vec<Step> {
    match told.notice {
        Notice::KeyInUrl { seen } => vec![
            Step::with(
                "Donnez une nouvelle clé au client. L'ancienne vaut encore un jour, pour qu'aucune caméra ne reste \
                 sans surveillance\u{A0}:",
                rotate(told.client, seen.key.id),
            ),
            Step::with(
                "Si la clé peut être en de mauvaises mains, révoquez-la tout de suite\u{A0}; ce qui fonctionne avec elle \
                 s'arrête jusqu'à en avoir une autre\u{A0}:",
                revoke(seen.key.id),
            ),
        ],
        Notice::RevokedKeyUsed { seen, .. } | Notice::ExpiredKeyUsed { seen, .. } => vec![
            Step::new(
                "Demandez au client si l'adresse est une des siennes\u{A0}: lui aussi a été prévenu.",
            ),
            end_for_good(seen, told.notice),
            Step::with(
                "Si l'adresse n'est pas une des siennes, d'autres clés étaient peut-être gardées au même endroit. Cette commande \
                 montre celles du client\u{A0}; celle ci-dessus révoque chacune par son numéro\u{A0}:",
                list(told.client),
            ),
        ],
        Notice::UnusualRate { key, .. } => vec![
            Step::new(
                "Demandez au client s'il en connaît la raison\u{A0}: lui aussi a été prévenu.",
            ),
            Step::with(
                "Sinon, révoquez la clé\u{A0}; ce qui fonctionne avec elle s'arrête jusqu'à en avoir une autre\u{A0}:",
                revoke(key.id),
            ),
        ],
        Notice::RefusedKeys { .. } => vec![
            Step::with(
                "Voyez ce qui a été noté d'autre\u{A0}:",
                "vigint-admin audit".to_owned(),
            ),
            Step::new(
                "Si cela continue et que vous ne connaissez pas l'adresse, bloquez-la dans votre pare-feu.",
            ),
        ],
        Notice::BudgetReached { reached } if reached.is_of_all => vec![
            Step::with(
                "Voyez quelles caméras en consomment tant\u{A0}:",
                "vigint-admin list".to_owned(),
            ),
            Step::new(
                "Pour que l'IA continue, relevez [AI] monthly_budget dans config.ini et redémarrez le serveur.",
            ),
        ],
        Notice::BudgetReached { .. } => vec![Step::with(
            "Pour que l'IA continue, relevez le budget (0 le supprime). Le client a été prévenu lui aussi\u{A0}:",
            raise_budget(told.client),
        )],
        Notice::DiskNearlyFull { .. } => vec![
            Step::new(
                "Retirez de ce disque ce qui n'est pas nécessaire, ou donnez-lui plus de place.",
            ),
            Step::with(
                "Voyez s'il reste des fichiers de vidéos abandonnés\u{A0}; avec --repair ils sont supprimés\u{A0}:",
                "vigint-server storage check".to_owned(),
            ),
            Step::new(
                "Si ce sont les vidéos qui le remplissent\u{A0}: conservez-les moins longtemps ([Clips] retention_hours), \
                 accordez-en moins à chaque client (max_bytes_per_client), ou conservez-les sur un disque plus grand \
                 (directory)\u{A0}; puis redémarrez le serveur.",
            ),
        ],
        Notice::DiskHasRoom { .. } => vec![Step::new("Il n'y a rien à faire.")],
    }
}

fn end_for_good(seen: &SeenKey, notice: &Notice) -> Step {
    let say = match notice {
        Notice::RevokedKeyUsed {
            revoked_at: Some(_),
            ..
        } => {
            "Elle est révoquée pour de bon\u{A0}: il n'y a rien d'autre à faire. Voici comment une clé se révoque\u{A0}:"
        }
        _ => "Elle est déjà refusée. Pour la révoquer pour de bon\u{A0}:",
    };
    Step::with(say, revoke(seen.key.id))
}
