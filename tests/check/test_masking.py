"""
What is shown of a text has no secret in it, and is still worth reading.
"""

from __future__ import annotations

import pytest

from warmline.check.masking import masked

SECRETS = ("hunter2", "s3cr3t", "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "4dm1n", "FQoGZXIv")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mongodb+srv://4dm1n:hunter2@host", "mongodb+srv://***:***@host"),
        ("mongodb://4dm1n:hunter2@a:1,b:2/db?w=1", "mongodb://***:***@a:1,b:2/db?w=1"),
        ("MongoDB+SRV://4dm1n:hunter2@host", "MongoDB+SRV://***:***@host"),
        ("mongodb://4dm1n@host", "mongodb://***@host"),
        # What should have been escaped and was not.
        ("mongodb://4dm1n:hunter2@s3cr3t/hunter2@host/db", "mongodb://***:***@host/db"),
        ("""uri = "mongodb://4dm1n:hunter2's3cr3t@host" """, """uri = "mongodb://***:***@host" """),
        # In parts.
        ('"mongodb+srv://4dm1n:hunter2" + "@host"', '"mongodb+srv://***" + "@host"'),
        ('"mongodb+srv://" + user + ":hunter2@host"', '"mongodb+srv://" + user + "***@host"'),
        (
            '"mongodb+srv://" + user + ":" + "hunter2@c.x.mongodb.net"',
            '"mongodb+srv://" + user + ":" + "***@c.x.mongodb.net"',
        ),
        ('f"mongodb+srv://4dm1n:{password}@host"', 'f"mongodb+srv://***:{password}@host"'),
        ("MongoClient(host, username='u', password='hunter2')", "MongoClient(host, username='u', password='***')"),
        ('{ "password": "hunter2" }', '{ "password": "***" }'),
        ("Mongo::Client.new(h, :password => 'hunter2')", "Mongo::Client.new(h, :password => '***')"),
        ('const DB_PASSWORD = "hunter2";', 'const DB_PASSWORD = "***";'),
        ("  MONGO_PASSWORD: hunter2 # s", "  MONGO_PASSWORD: *** # s"),
        ("export MONGO_PASSWORD=hunter2", "export MONGO_PASSWORD=***"),
        ('password: "hunter2",', 'password: "***",'),
        ('.password("hunter2".to_string())', '.password("***".to_string())'),
        ('password: Some("hunter2".into())', 'password: Some("***".into())'),
        ('"hunter2".toCharArray());', '"***".toCharArray());'),
        (
            'MongoCredential.CreateCredential("admin",\n    "4dm1n",\n    "hunter2");',
            'MongoCredential.CreateCredential("***",\n    "***",\n    "***");',
        ),
        ('key = "AKIAIOSFODNN7EXAMPLE"', 'key = "***"'),
        ('f("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")', 'f("***")'),
        (
            "?authMechanismProperties=AWS_SESSION_TOKEN:FQoGZXIv&w=1",
            "?authMechanismProperties=AWS_SESSION_TOKEN:***&w=1",
        ),
        ("see https://4dm1n:hunter2@example.com/x", "see https://***@example.com/x"),
    ],
)
def test_it_masks_users_passwords_keys_and_tokens(text: str, expected: str) -> None:
    assert masked(text) == expected
    assert not any(secret in expected for secret in SECRETS)


@pytest.mark.parametrize(
    "text",
    [
        "mongodb://localhost:27017/shop?retryWrites=true",
        "mongodb+srv://cluster0.example.mongodb.net/?maxIdleTimeMS=60000",
        "mongodb://[::1]:27017,b:2/",
        "mongodb://${HOST}:${PORT}/",
        "mongodb+srv://{}:{}@{}/",
        "!Sub mongodb+srv://${User}:${Password}@${Host}",
        'f"mongodb+srv://{quote_plus(user)}:{quote_plus(password)}@{host}"',
        '"mongodb+srv://<username>:<password>@cluster0.example.mongodb.net"',
        "fmt.Sprintf(`mongodb://%s:%s@%s`, user, password, host)",
        "password = os.environ['DB_PASSWORD']",
        "password = get_password(event)",
        "DB_PASSWORD: !Ref Password",
        "DB_PASSWORD: ${ssm:/db/password}",
        "SECRET_ARN: arn:aws:secretsmanager:eu-west-1:123456789012:secret:db",
        'client = MongoClient("localhost", maxIdleTimeMS=60000)',
        "it@example.com asks https://docs.example.com/a@b",
    ],
)
def test_it_leaves_what_is_no_secret(text: str) -> None:
    assert masked(text) == text


def test_lines_stay_where_they_were() -> None:
    text = 'a = 1\nuri = "mongodb://4dm1n:hunter2@host"\nopen(uri,\n  password="hunter2")\n'
    assert masked(text).splitlines() == [
        "a = 1",
        'uri = "mongodb://***:***@host"',
        "open(uri,",
        '  password="***")',
    ]


def test_masking_what_is_masked_changes_nothing() -> None:
    once = masked("x('mongodb://4dm1n:hunter2@host', password='hunter2')")
    assert masked(once) == once


def test_a_long_line_takes_no_long_time() -> None:
    # A minified file is one line; nothing here may look at it more than a few times.
    assert masked('a("b");' * 100_000) == 'a("b");' * 100_000
    assert masked("createCredential(" * 2_000).startswith("createCredential(")
