-- What a client was sent within the hour, what is held back of it, and which digest is on its way: asked for each mail.
CREATE INDEX alerts_by_state ON alerts (client_id, state, updated_at);
