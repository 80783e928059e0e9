-- Screens inside applications
-- reads: screens
SELECT application_label AS application, screen_label AS screen, active_s, events, users
FROM screens
ORDER BY active_s DESC, application, screen
