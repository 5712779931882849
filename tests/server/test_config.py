"""Settings: read once, and every wrong one told at once."""

from pathlib import Path

import pytest

from server.config import Config, ConfigInvalid

KEY = "00" * 32
URL = "postgresql://app:hunter2@db.example/school"


def problems(**environ: str) -> list[str]:
    with pytest.raises(ConfigInvalid) as refused:
        Config.from_environ(environ)
    return refused.value.problems


def test_nothing_needs_to_be_set() -> None:
    config = Config.from_environ({})
    assert (config.host, config.port) == ("127.0.0.1", 8000)
    assert config.embedded
    assert config.scheme == "http"
    assert config.data_dir == Path.cwd() / "data"


def test_an_empty_setting_is_not_set() -> None:
    assert Config.from_environ({"PORT": " ", "HOST": "", "DEMO": ""}) == Config.from_environ({})


def test_all_wrong_settings_are_told_at_once() -> None:
    told = problems(
        PORT="http",
        ENGINE="offline, gpt",
        OPENAI_BASE_URL="localhost:11434",
        OPENAI_VOICE="a voice",
        AWS_REGION="the moon",
        CASCADE_MIND="horse",
        ENGINE_ENDPOINTS="llm.example",
        ENGINE_PRICES="/nowhere/prices.toml",
        LOG_LEVEL="loud",
        SESSION_LIMIT_S="-1",
        ORIGINS="school.example",
        TRUSTED_PROXIES="the proxy",
        DATABASE_URL="mysql://x",
        TLS_CERT="/nowhere/cert.pem",
    )
    names = [sentence.partition("=")[0] for sentence in told if "can't be used" in sentence]
    assert sorted(names) == [
        "AWS_REGION",
        "CASCADE_MIND",
        "DATABASE_URL",
        "ENGINE",
        "ENGINE_ENDPOINTS",
        "ENGINE_PRICES",
        "LOG_LEVEL",
        "OPENAI_BASE_URL",
        "OPENAI_VOICE",
        "ORIGINS",
        "PORT",
        "SESSION_LIMIT_S",
        "TLS_CERT",
        "TRUSTED_PROXIES",
    ]
    assert all(sentence.endswith(".") for sentence in told)


@pytest.mark.parametrize("port", ["-1", "65536", "8e3", "8_000", "٨٠٠٠", "0" * 13 + "80000"])
def test_a_port_is_a_number_that_a_port_can_be(port: str) -> None:
    assert problems(PORT=port) == [
        f"PORT={port!r} can't be used: it must be a whole number from 0 to 65535."
    ]


def test_a_database_of_ones_own_needs_the_master_key() -> None:
    (told,) = problems(DATABASE_URL=URL)
    assert told.startswith("MASTER_KEY is missing")
    config = Config.from_environ({"DATABASE_URL": URL, "MASTER_KEY": KEY})
    assert config.database_url == URL
    assert not config.embedded


def test_certificate_and_key_belong_together(tmp_path: Path) -> None:
    cert = tmp_path / "cert.pem"
    cert.touch()
    assert problems(TLS_CERT=str(cert)) == [
        "TLS_CERT and TLS_KEY belong together: set both, or neither."
    ]


def test_secrets_are_shown_to_nobody() -> None:
    config = Config.from_environ({"DATABASE_URL": URL, "MASTER_KEY": KEY})
    assert "hunter2" not in repr(config)
    assert "sk-hunter3" not in repr(Config.from_environ({"OPENAI_API_KEY": "sk-hunter3"}))
    assert KEY not in repr(config)
    assert repr(bytes.fromhex(KEY)) not in repr(config)
    wrong = {
        "MASTER_KEY": "hunter2",
        "DATABASE_URL": "mysql://hunter2",
        "OPENAI_API_KEY": "hunter2 and more",
    }
    for name, value in wrong.items():
        assert "hunter2" not in " ".join(problems(**{name: value}))


def test_lists_are_written_with_commas() -> None:
    config = Config.from_environ(
        {
            "HOSTS": "a.example, *.b.example ,",
            "ORIGINS": "https://portal.example",
            "TRUSTED_PROXIES": "10.0.0.7,192.168.0.0/16, fd00::/8",
        }
    )
    assert config.hosts == ("a.example", "*.b.example")
    assert config.origins == ("https://portal.example",)
    assert config.trusted_proxies == ("10.0.0.7", "192.168.0.0/16", "fd00::/8")


@pytest.mark.parametrize("proxies", ["*", "proxy.example", "10.0.0.0/33", "10.0.0.1/8"])
def test_a_proxy_is_an_address_or_a_network(proxies: str) -> None:
    (told,) = problems(TRUSTED_PROXIES=proxies)
    assert "neither an address nor a network" in told


def test_without_a_word_about_engines_it_teaches_offline() -> None:
    engines = Config.from_environ({}).engines
    assert engines.settings.order == ("offline",)
    assert (engines.openai_key, engines.aws_ambient, engines.endpoints) == (None, False, ())


def test_engines_are_named_in_order_and_the_offline_one_comes_last() -> None:
    config = Config.from_environ(
        {
            "ENGINE": "Nova-Sonic, offline, cascade",
            "AWS_REGION": "eu-north-1",
            "OPENAI_API_KEY": "sk-x",
            "OPENAI_BASE_URL": "http://127.0.0.1:11434/v1/",
            "ENGINE_ENDPOINTS": "https://*.azure.example, http://llm.example:11434",
        }
    )
    settings = config.engines.settings
    assert settings.order == ("nova-sonic", "cascade", "offline")
    assert (settings.aws_region, settings.openai_voice) == ("eu-north-1", "marin")
    assert settings.openai_base_url == "http://127.0.0.1:11434/v1"
    assert config.engines.openai_key == "sk-x"
    assert config.engines.endpoints == ("https://*.azure.example", "http://llm.example:11434")


@pytest.mark.parametrize(
    ("environ", "ambient"),
    [
        ({"ENGINE": "nova-sonic"}, True),
        ({"ENGINE": "cascade", "CASCADE_MIND": "bedrock"}, True),
        ({"ENGINE": "nova-sonic", "AWS_AMBIENT": "no"}, False),
        ({"ENGINE": "openai-realtime"}, False),
    ],
)
def test_the_servers_aws_credentials_are_for_schools_where_it_offers_bedrock(
    environ: dict[str, str], ambient: bool
) -> None:
    assert Config.from_environ(environ).engines.aws_ambient is ambient


def test_prices_of_ones_own_replace_those_that_come_along(tmp_path: Path) -> None:
    own = tmp_path / "prices.toml"
    own.write_text('date = "2027-01-01"\n[models.llama]\ntext_tokens_in = 0\n')
    prices = Config.from_environ({"ENGINE_PRICES": str(own)}).engines.prices
    assert prices.cost_micros("llama", "text_tokens_in", 5) == 0
    assert prices.cost_micros("gpt-transcribe", "audio_in_ms", 60_000) == 4_500
    own.write_text("[models]\nllama = 1")
    (told,) = problems(ENGINE_PRICES=str(own))
    assert "`models.llama` must be a table" in told


def test_what_a_school_may_use_of_the_servers_keys_is_dollars() -> None:
    read = {
        text: Config.from_environ({"SERVER_KEY_MONEY_A_MONTH": text}).engines
        for text in ("50", "12.5", "0.07")
    }
    assert [one.server_key_money_micros for one in read.values()] == [
        50_000_000,
        12_500_000,
        70_000,
    ]
    assert Config.from_environ({}).engines.server_key_money_micros is None
    (told,) = problems(SERVER_KEY_MONEY_A_MONTH="-1")
    assert "dollars" in told


def test_calls_are_on_unless_they_are_switched_off() -> None:
    calls = Config.from_environ({}).calls
    assert calls.on and calls.port is None and not calls.servers
    assert not Config.from_environ({"WEBRTC": "off"}).calls.on


def test_servers_for_calls_are_named_by_their_urls() -> None:
    calls = Config.from_environ(
        {
            "WEBRTC_PORT": "3478",
            "WEBRTC_ADDRESSES": "203.0.113.7, 2001:db8::7",
            "STUN_URLS": "stun:stun.example.org:3478",
            "TURN_URLS": "turn:turn.example.org:3478?transport=udp, turns:turn.example.org:443",
            "TURN_SECRET": "between us",
        }
    ).calls
    assert (calls.port, calls.addresses) == (3478, ("203.0.113.7", "2001:db8::7"))
    assert len(calls.servers.turn_urls) == 2 and calls.servers.ttl_s == 300
    assert "between us" not in repr(calls)


def test_wrong_settings_of_calls_are_told() -> None:
    told = problems(
        WEBRTC="perhaps", WEBRTC_ADDRESSES="example.org", STUN_URLS="http://x", TURN_URLS="stun:x"
    )
    assert [sentence.partition("=")[0] for sentence in told] == [
        "WEBRTC",
        "WEBRTC_ADDRESSES",
        "STUN_URLS",
        "TURN_URLS",
    ]
