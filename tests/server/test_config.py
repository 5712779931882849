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
        ENGINE="gpt",
        LOG_LEVEL="loud",
        SESSION_LIMIT_S="-1",
        ORIGINS="school.example",
        TRUSTED_PROXIES="the proxy",
        DATABASE_URL="mysql://x",
        TLS_CERT="/nowhere/cert.pem",
    )
    names = [sentence.partition("=")[0] for sentence in told if "can't be used" in sentence]
    assert sorted(names) == [
        "DATABASE_URL",
        "ENGINE",
        "LOG_LEVEL",
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
    assert KEY not in repr(config)
    assert repr(bytes.fromhex(KEY)) not in repr(config)
    for name, value in {"MASTER_KEY": "hunter2", "DATABASE_URL": "mysql://hunter2"}.items():
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
