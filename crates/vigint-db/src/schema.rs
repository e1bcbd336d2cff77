//! The tables as diesel knows them, for both databases. Made by hand; the migrations are the truth.

use diesel::table;

table! {
    clients (id) {
        id -> BigInt,
        name -> Text,
        email -> Text,
        locale -> Text,
        time_zone -> Text,
        status -> Text,
        created_at -> Timestamp,
        updated_at -> Timestamp,
        monthly_budget_micros -> Nullable<BigInt>,
    }
}

table! {
    api_keys (id) {
        id -> BigInt,
        client_id -> BigInt,
        key_hash -> Text,
        key_prefix -> Text,
        name -> Text,
        scope -> Text,
        is_active -> Bool,
        expires_at -> Nullable<Timestamp>,
        revoked_at -> Nullable<Timestamp>,
        last_used_at -> Nullable<Timestamp>,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

table! {
    api_usage (id) {
        id -> BigInt,
        api_key_id -> BigInt,
        endpoint -> Text,
        method -> Text,
        status_code -> Integer,
        requests -> BigInt,
        bytes_in -> BigInt,
        prompt_tokens -> Nullable<BigInt>,
        completion_tokens -> Nullable<BigInt>,
        cost_micros -> BigInt,
        provider_cost_micros -> Nullable<BigInt>,
        timestamp -> Timestamp,
        minute -> Nullable<Timestamp>,
    }
}

table! {
    sources (id) {
        id -> BigInt,
        client_id -> BigInt,
        source_id -> Text,
        source_name -> Nullable<Text>,
        analysis_enabled -> Bool,
        alerts_enabled -> Bool,
        first_seen_at -> Timestamp,
        last_seen_at -> Timestamp,
        silent_since -> Nullable<Timestamp>,
        sending_since -> Nullable<Timestamp>,
    }
}

table! {
    incidents (id) {
        id -> Text,
        client_id -> BigInt,
        api_key_id -> BigInt,
        source_id -> Text,
        source_name -> Nullable<Text>,
        status -> Text,
        triage -> Text,
        incident_type -> Text,
        risk_level -> Text,
        description -> Text,
        analysis -> Text,
        detailed_analysis -> Nullable<Text>,
        confirmation -> Text,
        is_manual -> Bool,
        occurrences -> BigInt,
        frame_count -> BigInt,
        first_seen_at -> Timestamp,
        last_seen_at -> Timestamp,
        detected_at -> Timestamp,
        note -> Nullable<Text>,
        created_at -> Timestamp,
        updated_at -> Timestamp,
        confirmation_settled_at -> Nullable<Timestamp>,
    }
}

table! {
    clips (id) {
        id -> Text,
        incident_id -> Text,
        client_id -> BigInt,
        state -> Text,
        storage_key -> Text,
        links_revoked_at -> Nullable<Timestamp>,
        bytes -> Nullable<BigInt>,
        duration_ms -> Nullable<BigInt>,
        width -> Nullable<Integer>,
        height -> Nullable<Integer>,
        sha256 -> Nullable<Text>,
        attempts -> Integer,
        lease_until -> Nullable<Timestamp>,
        last_error -> Nullable<Text>,
        expires_at -> Timestamp,
        created_at -> Timestamp,
        cut_off -> Integer,
        hosting -> Nullable<Text>,
        hosting_attempts -> Integer,
        hosting_lease_until -> Nullable<Timestamp>,
        hosting_error -> Nullable<Text>,
        hosted_id -> Nullable<Text>,
        hosted_url -> Nullable<Text>,
        hosted_until -> Nullable<Timestamp>,
    }
}

table! {
    clips_folder (id) {
        id -> Integer,
        folder_id -> Text,
        marked_at -> Nullable<Timestamp>,
    }
}

table! {
    alerts (id) {
        id -> Text,
        incident_id -> Nullable<Text>,
        client_id -> Nullable<BigInt>,
        kind -> Text,
        channel -> Text,
        recipient -> Text,
        state -> Text,
        attempts -> Integer,
        next_attempt_at -> Timestamp,
        lease_until -> Nullable<Timestamp>,
        last_error -> Nullable<Text>,
        message_id -> Text,
        created_at -> Timestamp,
        updated_at -> Timestamp,
        notice -> Nullable<Text>,
        subject -> Nullable<Text>,
        told_in -> Nullable<Text>,
    }
}

table! {
    notices (kind, subject) {
        kind -> Text,
        subject -> Text,
        client_id -> Nullable<BigInt>,
        told_at -> Timestamp,
    }
}

table! {
    ai_spending (month, client_id) {
        month -> Text,
        client_id -> BigInt,
        spent_micros -> BigInt,
    }
}

table! {
    ai_budget_warnings (scope, month, percent) {
        scope -> Text,
        month -> Text,
        percent -> Integer,
        client_id -> Nullable<BigInt>,
        told_at -> Timestamp,
        most_micros -> BigInt,
    }
}

table! {
    audit_log (id) {
        id -> BigInt,
        at -> Timestamp,
        actor -> Text,
        action -> Text,
        client_id -> Nullable<BigInt>,
        key_id -> Nullable<BigInt>,
        detail -> Text,
    }
}

table! {
    erasures (id) {
        id -> BigInt,
        client_id -> BigInt,
        storage_prefix -> Text,
        at -> Timestamp,
        done_at -> Nullable<Timestamp>,
        files_erased -> Nullable<BigInt>,
        bytes_erased -> Nullable<BigInt>,
    }
}

table! {
    unfinished_imports (api_key_id) {
        api_key_id -> BigInt,
        usage_read_to -> BigInt,
    }
}

diesel::joinable!(api_keys -> clients (client_id));
diesel::joinable!(api_usage -> api_keys (api_key_id));
diesel::joinable!(clips -> incidents (incident_id));
diesel::joinable!(unfinished_imports -> api_keys (api_key_id));
diesel::allow_tables_to_appear_in_same_query!(
    clients,
    api_keys,
    api_usage,
    incidents,
    clips,
    unfinished_imports
);
diesel::allow_tables_to_appear_in_same_query!(clients, ai_spending);
diesel::allow_tables_to_appear_in_same_query!(clients, sources);
