-- How differently the work is done
-- reads: case_variants
SELECT
    variant,
    activities,
    cases,
    CAST(cases AS DOUBLE) / sum(cases) OVER () AS share,
    events,
    p50_s,
    p90_s,
    users,
    rework,
    example_case
FROM case_variants
ORDER BY cases DESC, events, variant
