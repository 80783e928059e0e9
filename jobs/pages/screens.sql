-- Screens inside applications
-- reads: filtered
--
-- Active time per screen; a screen is named by a labelling rule, else by the page's address or the window's title.
SELECT
    application_label AS application,
    screen_label AS screen,
    CAST(sum(active_us) AS DOUBLE) / 1e6 AS active_s,
    count(*) AS events,
    count(DISTINCT user_key) AS users
FROM filtered
GROUP BY application_label, screen_label
ORDER BY active_s DESC, application, screen
