"""Device profiles: one TOML file per board or laptop class, read with importlib.resources."""

if __name__ != "edge.device_profiles":
    raise ImportError("import this package as edge.device_profiles")
