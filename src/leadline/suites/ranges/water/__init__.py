"""Water: from an office page to the setpoint of a tank, over Modbus/TCP."""
