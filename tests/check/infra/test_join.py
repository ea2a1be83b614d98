from __future__ import annotations

import pytest

from warmline.check.read import read_project
from warmline.check.source.facts import Lifetime

CODE = b"def handler(event, context): ...\nexports.run = async (event) => {}\n// lambda_handler handleRequest Handle\n"


def template(properties: str, *, more: str = "") -> bytes:
    return (
        "Transform: AWS::Serverless-2016-10-31\nResources:\n  F:\n    Type: AWS::Serverless::Function\n"
        f"    Properties: {properties}\n{more}"
    ).encode()


def code_path(properties: str, *files: str, path: str = "template.yaml", more: str = "") -> str | None:
    content = {path: template(properties, more=more), **dict.fromkeys(files, CODE)}
    (facts,) = read_project(content).infra
    return facts.functions[0].code_path


@pytest.mark.parametrize(
    ("properties", "files", "expected"),
    [
        ("{Runtime: python3.13, CodeUri: src/, Handler: app.handler}", ["src/app.py", "app.py"], "src/app.py"),
        ("{Runtime: python3.13, CodeUri: ., Handler: src/app.handler}", ["src/app.py"], "src/app.py"),
        ("{Runtime: python3.13, Handler: src.app.handler}", ["src/app.py"], "src/app.py"),
        ("{Runtime: nodejs22.x, CodeUri: src/, Handler: app.run}", ["src/app.mjs"], "src/app.mjs"),
        ("{Runtime: nodejs22.x, CodeUri: src/, Handler: app.run}", ["src/app.ts"], "src/app.ts"),
        ("{Runtime: nodejs22.x, Handler: dist/app.run}", ["src/app.ts"], "src/app.ts"),
        ("{Runtime: nodejs22.x, CodeUri: dist, Handler: api/app.run}", ["api/app.ts", "x/app.ts"], "api/app.ts"),
        ("{Runtime: nodejs22.x, CodeUri: build, Handler: app.run}", ["lambdas/orders/app.ts"], "lambdas/orders/app.ts"),
        ("{Runtime: python3.13, Handler: api/get.handler}", ["src/api/get.py", "src/tasks/get.py"], "src/api/get.py"),
        (
            "{Runtime: nodejs22.x, Handler: app/get.run}",
            ["packages/shop/src/app/get.ts"],
            "packages/shop/src/app/get.ts",
        ),
        ("{Runtime: nodejs22.x, Handler: dist/app.run}", ["packages/shop/app.ts"], "packages/shop/app.ts"),
        ("{Runtime: ruby3.3, Handler: app.Shop::Handler.run}", ["app.rb"], "app.rb"),
        ("{Runtime: go1.x, CodeUri: orders/, Handler: bootstrap}", ["orders/main.go"], "orders/main.go"),
        (
            "{Runtime: provided.al2023, CodeUri: orders, Handler: bootstrap}",
            ["orders/src/main.rs"],
            "orders/src/main.rs",
        ),
        ("{Runtime: go1.x, Handler: bin/orders}", ["cmd/orders/main.go", "cmd/users/main.go"], "cmd/orders/main.go"),
        (
            "{Runtime: provided.al2023, CodeUri: bin/users.zip, Handler: bootstrap}",
            ["cmd/orders/main.go", "cmd/users/main.go"],
            "cmd/users/main.go",
        ),
        ("{Runtime: python3.13, CodeUri: src/app.py, Handler: app.handler}", ["src/app.py", "app.py"], "src/app.py"),
        (
            "{Runtime: java21, CodeUri: build/libs/all.jar, Handler: 'shop.orders.Get::handleRequest'}",
            ["src/main/java/shop/orders/Get.java", "src/main/java/shop/users/Get.java"],
            "src/main/java/shop/orders/Get.java",
        ),
        ("{Runtime: java21, Handler: shop.Get}", ["src/main/java/shop/Get.java"], "src/main/java/shop/Get.java"),
        (
            "{Runtime: dotnet8, CodeUri: src/Shop, Handler: 'Shop::Shop.Orders.Function::Handle'}",
            ["src/Shop/Function.cs"],
            "src/Shop/Function.cs",
        ),
        ("{PackageType: Image, ImageConfig: {Command: [app.handler]}}", ["app.py"], "app.py"),
    ],
)
def test_a_handler_s_file_is_found(properties: str, files: list[str], expected: str) -> None:
    assert code_path(properties, *files) == expected


@pytest.mark.parametrize(
    ("properties", "files"),
    [
        # It is another program's.
        ("{Runtime: python3.13, CodeUri: orders/, Handler: app.handler}", ["web/app.py"]),
        ("{Runtime: nodejs22.x, Handler: app.run}", ["web/app.js"]),
        ("{Runtime: nodejs22.x, CodeUri: code, Handler: app.run}", ["web/app.js", "code/index.js"]),
        # It may be either.
        ("{Runtime: nodejs22.x, CodeUri: dist, Handler: app.run}", ["a/app.ts", "b/app.ts"]),
        # There is no such function in it.
        ("{Runtime: nodejs22.x, CodeUri: dist, Handler: app.other}", ["a/app.ts"]),
        ("{Runtime: python3.13, CodeUri: src/, Handler: app.handler}", ["src/app.js"]),
        ("{Runtime: python3.13, CodeUri: !Ref Folder, Handler: app.handler}", ["src/app.py"]),
        ("{Runtime: python3.13, InlineCode: 'def handler(): ...', Handler: app.handler}", ["app.py"]),
        ("{Runtime: python3.13, CodeUri: src/, Handler: !Ref Handler}", ["src/app.py"]),
        ("{Runtime: java21, Handler: 'shop.Get::handleRequest'}", ["a/x/Get.java", "b/y/Get.java"]),
        ("{Runtime: python3.13, Handler: handler}", ["handler.py"]),
        ("{PackageType: Image}", ["app.py"]),
    ],
)
def test_a_handler_that_is_not_known_for_sure_has_no_file(properties: str, files: list[str]) -> None:
    assert code_path(properties, *files) is None


def test_paths_are_relative_to_the_template() -> None:
    properties = "{Runtime: python3.13, CodeUri: ../src, Handler: app.handler}"
    assert code_path(properties, "shop/src/app.py", "src/app.py", path="shop/infra/template.yaml") == "shop/src/app.py"


def test_a_bundler_s_entry_is_the_handler_s_file() -> None:
    entries = "    Metadata: {BuildProperties: {EntryPoints: [api/app.ts]}}\n"
    properties = "{Runtime: nodejs22.x, CodeUri: code, Handler: app.run}"
    assert code_path(properties, "code/api/app.ts", "code/jobs/app.ts", more=entries) == "code/api/app.ts"


def test_what_the_template_names_is_a_handler_whatever_it_is_called() -> None:
    code = b"from pymongo import MongoClient\n\n\ndef work(job, _):\n    MongoClient('mongodb://x').db.jobs.insert_one(job)\n"
    alone = read_project({"src/jobs.py": code})
    assert [client.lifetime for client in alone.code[0].clients] == [Lifetime.UNKNOWN]
    properties = "{Runtime: python3.13, CodeUri: src/, Handler: jobs.work}"
    project = read_project({"template.yaml": template(properties), "src/jobs.py": code})
    assert [client.lifetime for client in project.code[0].clients] == [Lifetime.PER_INVOCATION]
    assert [entry.why for entry in project.code[0].entry_points] == ["the template names it"]
