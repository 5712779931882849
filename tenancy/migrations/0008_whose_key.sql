-- for: cell
-- databases: all
--
-- How much of what was used was paid with the server's own key, which is its operator's money; the
-- rest with the school's. NULL, in rows from before: nobody noted it.

ALTER TABLE usage ADD COLUMN server_quantity bigint;
ALTER TABLE usage ADD COLUMN server_cost_micros bigint;

ALTER TABLE trial_usage ADD COLUMN server_quantity bigint;
ALTER TABLE trial_usage ADD COLUMN server_cost_micros bigint;

-- What it was for: `test`, a sentence that was said to try an engine; NULL, somebody tried a lesson.
ALTER TABLE trial_usage ADD COLUMN kind text;

-- down:

ALTER TABLE trial_usage DROP COLUMN kind;
ALTER TABLE trial_usage DROP COLUMN server_cost_micros;
ALTER TABLE trial_usage DROP COLUMN server_quantity;
ALTER TABLE usage DROP COLUMN server_cost_micros;
ALTER TABLE usage DROP COLUMN server_quantity;
