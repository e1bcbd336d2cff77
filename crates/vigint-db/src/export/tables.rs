//! Which tables hold rows of clients, and how each is read.

use diesel::prelude::*;

use super::{PAGE, Place, Row, Table, Value, usage};
use crate::schema::{
    ai_budget_warnings, ai_spending, alerts, api_keys, audit_log, clients, clips, incidents,
    notices, sources, unfinished_imports,
};
use crate::stored::Moment;
use crate::{AnyConnection, DbError, Tenant};

/// All of them.
pub const TABLES: &[Table] = &[
    CLIENTS,
    API_KEYS,
    SOURCES,
    INCIDENTS,
    CLIPS,
    ALERTS,
    NOTICES,
    AI_SPENDING,
    AI_BUDGET_WARNINGS,
    AUDIT_LOG,
    UNFINISHED_IMPORTS,
    API_USAGE,
];

const API_USAGE: Table = Table {
    name: "api_usage",
    columns: usage::NAMES,
    left_out: &[],
    page: usage::page,
};

/// Whether a page of so many rows may be followed by another.
pub(super) fn is_full(rows: usize) -> bool {
    i64::try_from(rows).is_ok_and(|rows| rows >= PAGE)
}

/// A table, its columns, and whose rows are meant; read in the order of one column that is unique among them, which is
/// kept as this kind of [`Place`].
macro_rules! table {
    (
        $constant:ident: $table:ident where $mine:expr, by $key:ident as $place:ident,
        { $($column:ident: $kind:ty),+ $(,)? } without $left_out:expr
    ) => {
        const $constant: Table = {
            #[derive(Queryable)]
            struct Stored { $($column: $kind),+ }
            const SHOWN: ($($table::$column,)+) = ($($table::$column,)+);

            fn page(
                conn: &mut AnyConnection,
                tenant: &Tenant,
                place: &Place,
            ) -> Result<(Vec<Row>, Place), DbError> {
                let mut page = $table::table
                    .filter($mine(tenant.client_id().0))
                    .order($table::$key)
                    .limit(PAGE)
                    .select(SHOWN)
                    .into_boxed();
                if let Place::$place(behind) = place {
                    page = page.filter($table::$key.gt(behind.clone()));
                }
                let rows: Vec<Stored> = page.load(conn)?;
                let place = rows
                    .last()
                    .filter(|_| is_full(rows.len()))
                    .map_or(Place::End, |last| Place::$place(last.$key.clone()));
                let rows = rows.into_iter().map(|row| vec![$(Value::from(row.$column)),+]);
                Ok((rows.collect(), place))
            }

            Table {
                name: stringify!($table),
                columns: &[$(stringify!($column)),+],
                left_out: $left_out,
                page,
            }
        };
    };
}

table! {
    CLIENTS: clients where |id: i64| clients::id.eq(id), by id as Number,
    {
        id: i64,
        name: String,
        email: String,
        locale: String,
        time_zone: String,
        status: String,
        created_at: Moment,
        updated_at: Moment,
        monthly_budget_micros: Option<i64>,
    }
    without &[]
}

table! {
    API_KEYS: api_keys where |id: i64| api_keys::client_id.eq(id), by id as Number,
    {
        id: i64,
        client_id: i64,
        key_prefix: String,
        name: String,
        scope: String,
        is_active: bool,
        expires_at: Option<Moment>,
        revoked_at: Option<Moment>,
        last_used_at: Option<Moment>,
        created_at: Moment,
        updated_at: Moment,
    }
    without &[("key_hash", "what a key is known by: it stays here")]
}

table! {
    SOURCES: sources where |id: i64| sources::client_id.eq(id), by id as Number,
    {
        id: i64,
        client_id: i64,
        source_id: String,
        source_name: Option<String>,
        analysis_enabled: bool,
        alerts_enabled: bool,
        first_seen_at: Moment,
        last_seen_at: Moment,
        silent_since: Option<Moment>,
        sending_since: Option<Moment>,
    }
    without &[]
}

table! {
    INCIDENTS: incidents where |id: i64| incidents::client_id.eq(id), by id as Text,
    {
        id: String,
        client_id: i64,
        api_key_id: i64,
        source_id: String,
        source_name: Option<String>,
        status: String,
        triage: String,
        incident_type: String,
        risk_level: String,
        description: String,
        analysis: String,
        detailed_analysis: Option<String>,
        confirmation: String,
        is_manual: bool,
        occurrences: i64,
        frame_count: i64,
        first_seen_at: Moment,
        last_seen_at: Moment,
        detected_at: Moment,
        note: Option<String>,
        created_at: Moment,
        updated_at: Moment,
        confirmation_settled_at: Option<Moment>,
    }
    without &[]
}

table! {
    CLIPS: clips where |id: i64| clips::client_id.eq(id), by id as Text,
    {
        id: String,
        incident_id: String,
        client_id: i64,
        state: String,
        storage_key: String,
        links_revoked_at: Option<Moment>,
        bytes: Option<i64>,
        duration_ms: Option<i64>,
        width: Option<i32>,
        height: Option<i32>,
        sha256: Option<String>,
        attempts: i32,
        lease_until: Option<Moment>,
        last_error: Option<String>,
        expires_at: Moment,
        created_at: Moment,
        cut_off: i32,
        hosting: Option<String>,
        hosting_attempts: i32,
        hosting_lease_until: Option<Moment>,
        hosted_id: Option<String>,
        hosted_until: Option<Moment>,
    }
    without &[
        (
            "hosted_url",
            "whoever knows it can watch the film at the hosting service; the film itself is in the export",
        ),
        (
            "hosting_error",
            "what the hosting service said to the operator, in its own words",
        ),
    ]
}

table! {
    ALERTS: alerts where |id: i64| alerts::client_id.eq(id), by id as Text,
    {
        id: String,
        incident_id: Option<String>,
        client_id: Option<i64>,
        kind: String,
        channel: String,
        recipient: String,
        state: String,
        attempts: i32,
        next_attempt_at: Moment,
        lease_until: Option<Moment>,
        last_error: Option<String>,
        message_id: String,
        created_at: Moment,
        updated_at: Moment,
        notice: Option<String>,
        subject: Option<String>,
        told_in: Option<String>,
    }
    without &[]
}

// At most one of a kind and a key, and forgotten after an hour: one page holds them.
table! {
    NOTICES: notices where |id: i64| notices::client_id.eq(id), by subject as Text,
    {
        kind: String,
        subject: String,
        client_id: Option<i64>,
        told_at: Moment,
    }
    without &[]
}

table! {
    AI_SPENDING: ai_spending where |id: i64| ai_spending::client_id.eq(id), by month as Text,
    {
        month: String,
        client_id: i64,
        spent_micros: i64,
    }
    without &[]
}

// Two a month: one page holds the warnings of 41 years.
table! {
    AI_BUDGET_WARNINGS: ai_budget_warnings where |id: i64| ai_budget_warnings::client_id.eq(id), by month as Text,
    {
        scope: String,
        month: String,
        percent: i32,
        client_id: Option<i64>,
        told_at: Moment,
        most_micros: i64,
    }
    without &[]
}

table! {
    AUDIT_LOG: audit_log where |id: i64| audit_log::client_id.eq(id), by id as Number,
    {
        id: i64,
        at: Moment,
        actor: String,
        action: String,
        client_id: Option<i64>,
        key_id: Option<i64>,
        detail: String,
    }
    without &[]
}

table! {
    UNFINISHED_IMPORTS: unfinished_imports where keys_of, by api_key_id as Number,
    {
        api_key_id: i64,
        usage_read_to: i64,
    }
    without &[]
}

/// What hangs on the keys of a client.
#[diesel::dsl::auto_type(no_type_alias)]
fn keys_of(client: i64) -> _ {
    let keys = api_keys::table
        .filter(api_keys::client_id.eq(client))
        .select(api_keys::id);
    unfinished_imports::api_key_id.eq_any(keys)
}
