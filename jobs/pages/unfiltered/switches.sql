-- What breaks concentration
-- reads: app_switches
SELECT from_application, to_application, switches, round_trips, users
FROM app_switches
ORDER BY switches DESC, from_application, to_application
