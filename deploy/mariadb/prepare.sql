-- What a connector needs in the shop's database. Run once before the connector is applied.
CREATE TABLE IF NOT EXISTS tintype_heartbeat (id int PRIMARY KEY, at timestamp NOT NULL);
CREATE TABLE IF NOT EXISTS tintype_signal (id varchar(42) PRIMARY KEY, type varchar(32) NOT NULL, data varchar(2048));
