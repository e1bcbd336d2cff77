//! Who is at the shell: what the system knows, not what the environment claims.

use std::fs;

use rustix::process::getuid;

/// Where the system keeps its users: a line each, `name:password:uid:…` (passwd(5)).
const USERS: &str = "/etc/passwd";
/// The user who may become anybody.
const ROOT: u32 = 0;

/// The name of the user whose process this is; of root, the one that `sudo` was called by, if any. Everybody else
/// could write any name into the environment. One that is not among the system's own users has a number.
pub(super) fn name(sudo_user: Option<&str>) -> String {
    let uid = getuid().as_raw();
    match sudo_user {
        Some(user) if uid == ROOT => user.to_owned(),
        _ => fs::read_to_string(USERS)
            .ok()
            .and_then(|users| find(&users, uid).map(str::to_owned))
            .unwrap_or_else(|| format!("uid {uid}")),
    }
}

fn find(users: &str, uid: u32) -> Option<&str> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, _, number) = (fields.next()?, fields.next()?, fields.next()?);
        (number.parse() == Ok(uid)).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_the_number() {
        let users =
            "root:x:0:0:root:/root:/bin/bash\n\nbroken\nann:x:1000:1000::/home/ann:/bin/sh\n";
        assert_eq!(find(users, 0), Some("root"));
        assert_eq!(find(users, 1000), Some("ann"));
        assert_eq!(find(users, 1001), None);
    }
}
