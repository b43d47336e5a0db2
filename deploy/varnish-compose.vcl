# varnish.vcl for compose.yaml, where two services are other hosts.
#
# The services are started with CLIPPINGS_MAX_AGE=10, and imports with CLIPPINGS_PURGE_URL=http://cache:6081/. Answers
# come from here until an import changes one, and are 20 s old at most where a standby was behind at the purge.
vcl 4.1;

import directors;

# A service that stops, or cannot read, says so before it refuses anybody.
probe readiness {
    .url = "/health/ready";
    .interval = 2s;
    .timeout = 2s;
    .window = 3;
    .threshold = 2;
    .initial = 2;
}

backend service_1 {
    .host = "service-1";
    .port = "8000";
    .first_byte_timeout = 60s;
    # Shorter than the 75 s for which the service keeps a connection.
    .between_bytes_timeout = 60s;
    .probe = readiness;
}

backend service_2 {
    .host = "service-2";
    .port = "8000";
    .first_byte_timeout = 60s;
    # Shorter than the 75 s for which the service keeps a connection.
    .between_bytes_timeout = 60s;
    .probe = readiness;
}

sub vcl_init {
    new services = directors.round_robin();
    services.add_backend(service_1);
    services.add_backend(service_2);
}

# Imports come from this machine, or to a socket that is for them alone:  varnishd -a :80 -a imports=:6081
acl importers {
    "127.0.0.1";
    "::1";
}

sub vcl_recv {
    set req.backend_hint = services.backend();
    if (req.method == "PURGE") {
        if (local.socket != "imports" && client.ip !~ importers) {
            return (synth(403, "Forbidden"));
        }
        if (!req.http.Surrogate-Key) {
            return (synth(400, "Surrogate-Key is missing"));
        }
        ban("obj.http.Surrogate-Key == " + req.http.Surrogate-Key);
        return (synth(200, "Purged"));
    }
    # A letter may be written as its escape, and the service would know it.
    if (req.url ~ "(?i)^[^?]*(/|%2f)(m|%6d)(e|%65)(t|%74)(r|%72)(i|%69)(c|%63)(s|%73)(\?|$)") {
        return (synth(403, "Forbidden"));
    }
    # The service takes the same ids.
    if (req.http.X-Request-Id !~ "^[A-Za-z0-9][A-Za-z0-9._:+/=@-]{0,127}$") {
        set req.http.X-Request-Id = req.xid;
    }
    # Files are sent as they are made; keeping them here would push out everything else.
    if (req.url ~ "/exports/") {
        return (pass);
    }
    # Pages are an editor's own by this cookie. Those of others count for nothing, and would keep answers from here.
    if (req.http.Cookie !~ "clippings_editor=") {
        unset req.http.Cookie;
    }
}

sub vcl_deliver {
    # An answer from here has this request's id, not that of whoever asked first.
    set resp.http.X-Request-Id = req.http.X-Request-Id;
}

sub vcl_backend_response {
    # An outage is said as it is, and not remembered.
    if (beresp.status >= 500) {
        set beresp.uncacheable = true;
        set beresp.ttl = 0s;
    }
}
