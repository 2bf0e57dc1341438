CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL,
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

CREATE TABLE audit (
	seq INTEGER NOT NULL,
	prev_hash TEXT NOT NULL,
	hash TEXT NOT NULL,
	body TEXT NOT NULL,
	CONSTRAINT pk_audit PRIMARY KEY (seq),
	CONSTRAINT uq_audit_hash UNIQUE (hash)
);

CREATE TRIGGER audit_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END;

CREATE TRIGGER audit_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END;

CREATE TRIGGER audit_insert BEFORE INSERT ON audit WHEN EXISTS (SELECT 1 FROM audit WHERE seq >= NEW.seq OR hash = NEW.hash) BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END;

CREATE TABLE blobs (
	digest TEXT NOT NULL,
	size BIGINT NOT NULL,
	encoding TEXT NOT NULL,
	data BLOB NOT NULL,
	CONSTRAINT pk_blobs PRIMARY KEY (digest)
);

CREATE TABLE calibrations (
	id TEXT NOT NULL,
	judge TEXT NOT NULL,
	scorer_version TEXT NOT NULL,
	made_at TEXT NOT NULL,
	n INTEGER NOT NULL,
	trust TEXT NOT NULL,
	source TEXT NOT NULL,
	body TEXT NOT NULL,
	CONSTRAINT pk_calibrations PRIMARY KEY (id)
);

CREATE INDEX ix_calibrations_judge_made_at ON calibrations (judge, made_at);

CREATE TABLE datasets (
	digest TEXT NOT NULL,
	name TEXT NOT NULL,
	source TEXT,
	size INTEGER NOT NULL,
	stored_at TEXT NOT NULL,
	CONSTRAINT pk_datasets PRIMARY KEY (digest)
);

CREATE TABLE exchanges (
	"key" TEXT NOT NULL,
	method TEXT NOT NULL,
	url TEXT NOT NULL,
	trial INTEGER NOT NULL,
	occurrence INTEGER NOT NULL,
	status INTEGER NOT NULL,
	content_type TEXT NOT NULL,
	stream INTEGER NOT NULL,
	encoding TEXT NOT NULL,
	recorded_at TEXT NOT NULL,
	duration DOUBLE,
	model TEXT,
	suite TEXT NOT NULL,
	case_id TEXT NOT NULL,
	size BIGINT NOT NULL,
	request BLOB NOT NULL,
	body BLOB NOT NULL,
	CONSTRAINT pk_exchanges PRIMARY KEY ("key")
);

CREATE INDEX ix_exchanges_url_recorded_at ON exchanges (url, recorded_at);

CREATE TABLE freezes (
	id TEXT NOT NULL,
	subject TEXT NOT NULL,
	alias TEXT NOT NULL,
	reason TEXT NOT NULL,
	since TEXT NOT NULL,
	until TEXT,
	declared_by TEXT NOT NULL,
	lifted_at TEXT,
	lifted_by TEXT,
	CONSTRAINT pk_freezes PRIMARY KEY (id)
);

CREATE TABLE ledger (
	id INTEGER NOT NULL,
	clock TEXT NOT NULL,
	seq INTEGER NOT NULL,
	hash TEXT NOT NULL,
	CONSTRAINT pk_ledger PRIMARY KEY (id)
);

CREATE TABLE policies (
	digest TEXT NOT NULL,
	name TEXT NOT NULL,
	text TEXT NOT NULL,
	first_seen TEXT NOT NULL,
	CONSTRAINT pk_policies PRIMARY KEY (digest)
);

CREATE TRIGGER policies_update BEFORE UPDATE ON policies BEGIN SELECT RAISE(ABORT, 'a policy that promotions were judged by stays as it is'); END;

CREATE TRIGGER policies_delete BEFORE DELETE ON policies BEGIN SELECT RAISE(ABORT, 'a policy that promotions were judged by stays as it is'); END;

CREATE TABLE runs (
	id TEXT NOT NULL,
	status TEXT NOT NULL,
	decision TEXT,
	started_at TEXT NOT NULL,
	finished_at TEXT,
	heartbeat_at TEXT NOT NULL,
	degraded TEXT NOT NULL,
	seed TEXT NOT NULL,
	git_commit TEXT,
	git_branch TEXT,
	git_dirty INTEGER,
	command TEXT NOT NULL,
	python TEXT NOT NULL,
	platform TEXT NOT NULL,
	host TEXT NOT NULL,
	user_name TEXT NOT NULL,
	evalkit TEXT NOT NULL,
	packages TEXT NOT NULL,
	ci TEXT NOT NULL,
	prices TEXT,
	CONSTRAINT pk_runs PRIMARY KEY (id)
);

CREATE INDEX ix_runs_started_at ON runs (started_at);

CREATE TABLE tokens (
	id TEXT NOT NULL,
	sha256 TEXT NOT NULL,
	name TEXT NOT NULL,
	is_service INTEGER NOT NULL,
	roles TEXT NOT NULL,
	created_at TEXT NOT NULL,
	created_by TEXT NOT NULL,
	expires_at TEXT,
	revoked_at TEXT,
	revoked_by TEXT,
	CONSTRAINT pk_tokens PRIMARY KEY (id),
	CONSTRAINT uq_tokens_sha256 UNIQUE (sha256)
);

CREATE TABLE annotations (
	id TEXT NOT NULL,
	run_id TEXT NOT NULL,
	suite TEXT NOT NULL,
	case_id TEXT NOT NULL,
	trial INTEGER NOT NULL,
	name TEXT NOT NULL,
	label TEXT NOT NULL,
	annotator TEXT NOT NULL,
	at TEXT NOT NULL,
	chosen TEXT NOT NULL,
	seed TEXT,
	note TEXT,
	CONSTRAINT pk_annotations PRIMARY KEY (id),
	CONSTRAINT fk_annotations_run_id FOREIGN KEY(run_id) REFERENCES runs (id)
);

CREATE INDEX ix_annotations_run_id_name ON annotations (run_id, name);

CREATE TABLE cases (
	dataset TEXT NOT NULL,
	position INTEGER NOT NULL,
	id TEXT NOT NULL,
	tags TEXT,
	source TEXT,
	input TEXT,
	input_blob TEXT,
	expected TEXT,
	expected_blob TEXT,
	metadata TEXT,
	metadata_blob TEXT,
	CONSTRAINT pk_cases PRIMARY KEY (dataset, position),
	CONSTRAINT uq_cases_dataset_id UNIQUE (dataset, id),
	CONSTRAINT fk_cases_dataset FOREIGN KEY(dataset) REFERENCES datasets (digest),
	CONSTRAINT fk_cases_input_blob FOREIGN KEY(input_blob) REFERENCES blobs (digest),
	CONSTRAINT fk_cases_expected_blob FOREIGN KEY(expected_blob) REFERENCES blobs (digest),
	CONSTRAINT fk_cases_metadata_blob FOREIGN KEY(metadata_blob) REFERENCES blobs (digest)
);

CREATE TABLE metrics (
	run_id TEXT NOT NULL,
	position INTEGER NOT NULL,
	suite TEXT NOT NULL,
	name TEXT NOT NULL,
	statistic TEXT NOT NULL,
	value DOUBLE,
	unit TEXT NOT NULL,
	low DOUBLE,
	high DOUBLE,
	level DOUBLE NOT NULL,
	method TEXT NOT NULL,
	cases INTEGER NOT NULL,
	trials INTEGER NOT NULL,
	scored INTEGER NOT NULL,
	unscored INTEGER NOT NULL,
	errored INTEGER NOT NULL,
	slice TEXT NOT NULL,
	note TEXT NOT NULL,
	CONSTRAINT pk_metrics PRIMARY KEY (run_id, position),
	CONSTRAINT fk_metrics_run_id FOREIGN KEY(run_id) REFERENCES runs (id)
);

CREATE TABLE outbox (
	id TEXT NOT NULL,
	target TEXT NOT NULL,
	seq INTEGER NOT NULL,
	body TEXT NOT NULL,
	created_at TEXT NOT NULL,
	state TEXT NOT NULL,
	attempts INTEGER NOT NULL,
	next_at TEXT NOT NULL,
	leased_by TEXT,
	delivered_at TEXT,
	last_status INTEGER,
	last_error TEXT,
	CONSTRAINT pk_outbox PRIMARY KEY (id),
	CONSTRAINT fk_outbox_seq FOREIGN KEY(seq) REFERENCES audit (seq)
);

CREATE INDEX ix_outbox_state_next_at ON outbox (state, next_at);

CREATE TABLE suites (
	id INTEGER NOT NULL,
	run_id TEXT NOT NULL,
	name TEXT NOT NULL,
	nodeid TEXT NOT NULL,
	location TEXT NOT NULL,
	dataset TEXT NOT NULL,
	dataset_name TEXT NOT NULL,
	dataset_source TEXT,
	scorers TEXT NOT NULL,
	gates TEXT NOT NULL,
	repeat INTEGER NOT NULL,
	declared INTEGER NOT NULL,
	planned INTEGER NOT NULL,
	selection TEXT,
	selected TEXT,
	seed TEXT NOT NULL,
	metadata TEXT,
	passed INTEGER,
	missed INTEGER,
	errored INTEGER,
	unscored INTEGER,
	CONSTRAINT pk_suites PRIMARY KEY (id),
	CONSTRAINT uq_suites_run_id_name UNIQUE (run_id, name),
	CONSTRAINT fk_suites_run_id FOREIGN KEY(run_id) REFERENCES runs (id),
	CONSTRAINT fk_suites_dataset FOREIGN KEY(dataset) REFERENCES datasets (digest)
);

CREATE INDEX ix_suites_name ON suites (name);

CREATE TABLE verdicts (
	run_id TEXT NOT NULL,
	position INTEGER NOT NULL,
	suite TEXT NOT NULL,
	gate TEXT NOT NULL,
	decision TEXT NOT NULL,
	observed DOUBLE,
	low DOUBLE,
	high DOUBLE,
	level DOUBLE,
	method TEXT NOT NULL,
	cases INTEGER NOT NULL,
	trials INTEGER NOT NULL,
	scored INTEGER NOT NULL,
	unscored INTEGER NOT NULL,
	errored INTEGER NOT NULL,
	reason TEXT NOT NULL,
	hint TEXT NOT NULL,
	fragile INTEGER NOT NULL,
	on_inconclusive TEXT NOT NULL,
	inputs TEXT NOT NULL,
	CONSTRAINT pk_verdicts PRIMARY KEY (run_id, position),
	CONSTRAINT fk_verdicts_run_id FOREIGN KEY(run_id) REFERENCES runs (id)
);

CREATE TABLE versions (
	kind TEXT NOT NULL,
	name TEXT NOT NULL,
	digest TEXT NOT NULL,
	number INTEGER NOT NULL,
	created_at TEXT NOT NULL,
	source TEXT,
	git_commit TEXT,
	author TEXT,
	body TEXT,
	body_blob TEXT,
	CONSTRAINT pk_versions PRIMARY KEY (kind, name, digest),
	CONSTRAINT uq_versions_kind_name_number UNIQUE (kind, name, number),
	CONSTRAINT fk_versions_body_blob FOREIGN KEY(body_blob) REFERENCES blobs (digest)
);

CREATE TRIGGER versions_delete BEFORE DELETE ON versions BEGIN SELECT RAISE(ABORT, 'versions are never deleted'); END;

CREATE TABLE aliases (
	kind TEXT NOT NULL,
	name TEXT NOT NULL,
	alias TEXT NOT NULL,
	digest TEXT NOT NULL,
	generation INTEGER NOT NULL,
	updated_at TEXT NOT NULL,
	updated_by TEXT,
	CONSTRAINT pk_aliases PRIMARY KEY (kind, name, alias),
	CONSTRAINT fk_aliases_kind_name_digest FOREIGN KEY(kind, name, digest) REFERENCES versions (kind, name, digest)
);

CREATE TABLE promotions (
	id TEXT NOT NULL,
	kind TEXT NOT NULL,
	name TEXT NOT NULL,
	alias TEXT NOT NULL,
	state TEXT NOT NULL,
	state_since TEXT NOT NULL,
	created_at TEXT NOT NULL,
	from_digest TEXT,
	to_digest TEXT NOT NULL,
	base_generation INTEGER NOT NULL,
	body TEXT NOT NULL,
	policy TEXT NOT NULL,
	evidence TEXT,
	fingerprint TEXT NOT NULL,
	evaluator TEXT NOT NULL,
	verdicts TEXT,
	overridden TEXT,
	applied_at TEXT,
	applied_by TEXT,
	generation INTEGER,
	superseded_by TEXT,
	note TEXT NOT NULL,
	CONSTRAINT pk_promotions PRIMARY KEY (id),
	CONSTRAINT fk_promotions_kind_name_to_digest FOREIGN KEY(kind, name, to_digest) REFERENCES versions (kind, name, digest),
	CONSTRAINT fk_promotions_policy FOREIGN KEY(policy) REFERENCES policies (digest)
);

CREATE INDEX ix_promotions_kind_name_alias_created_at ON promotions (kind, name, alias, created_at);

CREATE TRIGGER promotions_delete BEFORE DELETE ON promotions BEGIN SELECT RAISE(ABORT, 'promotions are never deleted'); END;

CREATE TABLE suite_versions (
	suite_id INTEGER NOT NULL,
	how TEXT NOT NULL,
	kind TEXT NOT NULL,
	name TEXT NOT NULL,
	digest TEXT NOT NULL,
	position INTEGER NOT NULL,
	CONSTRAINT pk_suite_versions PRIMARY KEY (suite_id, how, kind, name, digest),
	CONSTRAINT fk_suite_versions_kind_name_digest FOREIGN KEY(kind, name, digest) REFERENCES versions (kind, name, digest),
	CONSTRAINT fk_suite_versions_suite_id FOREIGN KEY(suite_id) REFERENCES suites (id)
);

CREATE INDEX ix_suite_versions_kind_name_digest ON suite_versions (kind, name, digest);

CREATE TABLE trials (
	suite_id INTEGER NOT NULL,
	case_id TEXT NOT NULL,
	trial INTEGER NOT NULL,
	attempt INTEGER NOT NULL,
	outcome TEXT NOT NULL,
	started_at TEXT NOT NULL,
	duration DOUBLE,
	latency DOUBLE,
	input_tokens BIGINT,
	output_tokens BIGINT,
	cost TEXT,
	cached_tokens BIGINT,
	calls BIGINT,
	uncounted BIGINT,
	unpriced BIGINT,
	saved TEXT,
	trace_id TEXT,
	versions TEXT,
	nodeid TEXT,
	error_type TEXT,
	error_message TEXT,
	error_is_assertion INTEGER,
	traceback TEXT,
	traceback_blob TEXT,
	output TEXT,
	output_blob TEXT,
	metadata TEXT,
	metadata_blob TEXT,
	CONSTRAINT pk_trials PRIMARY KEY (suite_id, case_id, trial, attempt),
	CONSTRAINT fk_trials_suite_id FOREIGN KEY(suite_id) REFERENCES suites (id),
	CONSTRAINT fk_trials_traceback_blob FOREIGN KEY(traceback_blob) REFERENCES blobs (digest),
	CONSTRAINT fk_trials_output_blob FOREIGN KEY(output_blob) REFERENCES blobs (digest),
	CONSTRAINT fk_trials_metadata_blob FOREIGN KEY(metadata_blob) REFERENCES blobs (digest)
);

CREATE TABLE approvals (
	id TEXT NOT NULL,
	promotion_id TEXT NOT NULL,
	position INTEGER NOT NULL,
	person TEXT NOT NULL,
	approves INTEGER NOT NULL,
	comment TEXT NOT NULL,
	at TEXT NOT NULL,
	fingerprint TEXT NOT NULL,
	is_self INTEGER NOT NULL,
	dismissed TEXT NOT NULL,
	actor TEXT NOT NULL,
	CONSTRAINT pk_approvals PRIMARY KEY (id),
	CONSTRAINT uq_approvals_promotion_id_position UNIQUE (promotion_id, position),
	CONSTRAINT fk_approvals_promotion_id FOREIGN KEY(promotion_id) REFERENCES promotions (id)
);

CREATE TABLE promotion_runs (
	promotion_id TEXT NOT NULL,
	run_id TEXT NOT NULL,
	how TEXT NOT NULL,
	CONSTRAINT pk_promotion_runs PRIMARY KEY (promotion_id, run_id),
	CONSTRAINT fk_promotion_runs_promotion_id FOREIGN KEY(promotion_id) REFERENCES promotions (id),
	CONSTRAINT fk_promotion_runs_run_id FOREIGN KEY(run_id) REFERENCES runs (id)
);

CREATE INDEX ix_promotion_runs_run_id ON promotion_runs (run_id);

CREATE TRIGGER runs_delete BEFORE DELETE ON runs WHEN EXISTS (SELECT 1 FROM promotion_runs WHERE run_id = OLD.id) BEGIN SELECT RAISE(ABORT, 'a promotion rests on this run'); END;

CREATE TABLE scores (
	suite_id INTEGER NOT NULL,
	case_id TEXT NOT NULL,
	trial INTEGER NOT NULL,
	attempt INTEGER NOT NULL,
	position INTEGER NOT NULL,
	name TEXT NOT NULL,
	status TEXT NOT NULL,
	kind TEXT NOT NULL,
	value DOUBLE,
	label TEXT,
	passed INTEGER,
	scorer TEXT NOT NULL,
	scorer_version TEXT NOT NULL,
	input_tokens BIGINT,
	output_tokens BIGINT,
	cost TEXT,
	cached_tokens BIGINT,
	calls BIGINT,
	uncounted BIGINT,
	unpriced BIGINT,
	saved TEXT,
	error_type TEXT,
	error_message TEXT,
	error_is_assertion INTEGER,
	explanation TEXT,
	explanation_blob TEXT,
	traceback TEXT,
	traceback_blob TEXT,
	metadata TEXT,
	metadata_blob TEXT,
	CONSTRAINT pk_scores PRIMARY KEY (suite_id, case_id, trial, attempt, position),
	CONSTRAINT fk_scores_suite_id_case_id_trial_attempt FOREIGN KEY(suite_id, case_id, trial, attempt) REFERENCES trials (suite_id, case_id, trial, attempt),
	CONSTRAINT fk_scores_explanation_blob FOREIGN KEY(explanation_blob) REFERENCES blobs (digest),
	CONSTRAINT fk_scores_traceback_blob FOREIGN KEY(traceback_blob) REFERENCES blobs (digest),
	CONSTRAINT fk_scores_metadata_blob FOREIGN KEY(metadata_blob) REFERENCES blobs (digest)
);

CREATE TABLE traces (
	trace_id TEXT NOT NULL,
	suite_id INTEGER NOT NULL,
	case_id TEXT NOT NULL,
	trial INTEGER NOT NULL,
	attempt INTEGER NOT NULL,
	root_span_id TEXT,
	start_ns BIGINT,
	end_ns BIGINT,
	status TEXT NOT NULL,
	n_spans INTEGER NOT NULL,
	n_llm INTEGER NOT NULL,
	n_tool INTEGER NOT NULL,
	input_tokens BIGINT,
	output_tokens BIGINT,
	cost TEXT,
	cached_tokens BIGINT,
	calls BIGINT,
	uncounted BIGINT,
	unpriced BIGINT,
	saved TEXT,
	normaliser TEXT NOT NULL,
	error TEXT,
	CONSTRAINT pk_traces PRIMARY KEY (trace_id),
	CONSTRAINT uq_traces_suite_id_case_id_trial_attempt UNIQUE (suite_id, case_id, trial, attempt),
	CONSTRAINT fk_traces_suite_id_case_id_trial_attempt FOREIGN KEY(suite_id, case_id, trial, attempt) REFERENCES trials (suite_id, case_id, trial, attempt)
);

CREATE TABLE spans (
	trace_id TEXT NOT NULL,
	position INTEGER NOT NULL,
	span_id TEXT NOT NULL,
	parent_id TEXT,
	kind TEXT NOT NULL,
	name TEXT NOT NULL,
	start_ns BIGINT NOT NULL,
	end_ns BIGINT NOT NULL,
	status TEXT NOT NULL,
	model TEXT,
	provider TEXT,
	input_tokens BIGINT,
	output_tokens BIGINT,
	cost TEXT,
	cached_tokens BIGINT,
	calls BIGINT,
	uncounted BIGINT,
	unpriced BIGINT,
	saved TEXT,
	tool_name TEXT,
	error TEXT,
	attributes TEXT,
	attributes_blob TEXT,
	raw TEXT,
	raw_blob TEXT,
	events TEXT,
	events_blob TEXT,
	CONSTRAINT pk_spans PRIMARY KEY (trace_id, position),
	CONSTRAINT fk_spans_trace_id FOREIGN KEY(trace_id) REFERENCES traces (trace_id),
	CONSTRAINT fk_spans_attributes_blob FOREIGN KEY(attributes_blob) REFERENCES blobs (digest),
	CONSTRAINT fk_spans_raw_blob FOREIGN KEY(raw_blob) REFERENCES blobs (digest),
	CONSTRAINT fk_spans_events_blob FOREIGN KEY(events_blob) REFERENCES blobs (digest)
);
