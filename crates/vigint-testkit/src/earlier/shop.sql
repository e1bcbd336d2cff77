-- What `shop.sqlite3` holds: make it anew from this with `sqlite3 shop.sqlite3 < shop.sql`. Also read by PostgreSQL.
-- The first key is the SHA-256 of `a-key-of-the-earlier-vigint`, the second of `another-key-of-the-earlier-one`.
CREATE TABLE clients (id INTEGER PRIMARY KEY, name VARCHAR(255), email VARCHAR(255) UNIQUE,
    created_at TIMESTAMP, updated_at TIMESTAMP);
CREATE TABLE api_keys (id INTEGER PRIMARY KEY, client_id INTEGER, key_hash VARCHAR(64), name VARCHAR(255),
    is_active BOOLEAN, created_at TIMESTAMP, updated_at TIMESTAMP);
CREATE TABLE api_usage (id INTEGER PRIMARY KEY, api_key_id INTEGER, endpoint VARCHAR(255), method VARCHAR(10),
    status_code INTEGER, cost DOUBLE PRECISION, timestamp TIMESTAMP, request_data TEXT,
    prompt_tokens INTEGER, completion_tokens INTEGER, total_tokens INTEGER);
CREATE TABLE payment_details (id INTEGER PRIMARY KEY, iban TEXT);
INSERT INTO clients VALUES (1, 'Acme', 'acme@shop.example', '2025-01-02 03:04:05.678901', NULL),
    (2, 'Nowhere', NULL, NULL, NULL);
INSERT INTO api_keys VALUES
    (1, 1, '2d2b5c33f15545f22be2a6c4349295664d85d7fc3ca20ea96e33f91df8c62c60', 'till', TRUE, '2025-01-02 03:04:05', NULL),
    (2, 1, 'cefb421887189c63a0ef7cd354b23ba32aaa2974f78bb700d586214458efd584', 'old', NULL, '2025-01-02 03:04:05', NULL);
INSERT INTO api_usage VALUES
    (1, 1, '/api/video/analyze', 'POST', 200, 0.1e0 + 0.2e0, '2025-05-01 10:00:00.5', NULL, 1000, 20, 1020);
INSERT INTO payment_details VALUES (1, 'c4nary');
