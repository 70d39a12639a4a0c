"""Names that programs have: whoever types one, or a part of one, gets the memory that is about it first.

The memories are what a developer would keep over some months; most names share parts with others.
"""

from __future__ import annotations

import time

import pytest

from gitmem.index.filters import Filters
from gitmem.index.index import Index
from gitmem.index.words import folded, parts
from gitmem.memory.ids import new_id
from gitmem.memory.memory import Memory

MEMORIES = {
    # paths and files
    "jwt": "Token checks live in src/auth/jwt.ts; the clock skew we allow is 30 seconds.",
    "jwt-test": "tests/auth/jwt.test.ts is flaky on Mondays, because it reads the real clock.",
    "session": "src/auth/session.ts keeps sessions in Redis and forgets them after 12 hours.",
    "auth-index": "src/auth/index.ts only re-exports; do not add logic there.",
    "auth-doc": "The auth source folder needs an owner. Auth is src code nobody wants to touch, jwt or not.",
    "util-index": "src/util/index.ts was split into one file per function.",
    "py-main": "gateway/main.py starts the server; the workers have an entry of their own.",
    "worker": "Long jobs belong into gateway/worker.py, the main file must stay thin.",
    "windows": r"On Windows the cache is in C:\Users\ann\AppData\Local\shop, not in the profile folder.",
    "win-other": "Ann and the other users of Windows share one local profile folder.",
    "etc": "The reverse proxy is set up in /etc/nginx/conf.d/shop.conf and reloaded by hand.",
    "etc-other": "nginx logs go to /var/log/nginx/shop.log and rotate weekly.",
    "env": "Secrets for local work are read from .env, which git ignores; copy it from .env.example.",
    "env-word": "The staging env is rebuilt every night, so do not keep data there.",
    "gitignore": "dist and coverage were missing in .gitignore, so a build landed in a commit.",
    "package": "package.json pins the engine, package-lock.json must be committed with it.",
    "tsconfig": "tsconfig.build.json leaves the tests out; tsconfig.json is for the editor only.",
    "makefile": "Run `make lint` before pushing, the Makefile calls the same programs as CI.",
    "dockerfile": "Dockerfile.dev mounts the source; the plain Dockerfile copies it.",
    "migration": "migrations/0042_add_invoice_index.sql took 11 minutes and locked the table.",
    "migration-2": "migrations/0043_drop_legacy_users.sql cannot be undone, take a dump first.",
    "workflow": ".github/workflows/release.yml needs the environment called production.",
    # functions, classes, variables
    "foo_bar": "foo_bar() is deprecated since spring, call make_bar() with a foo instead.",
    "foo": "A foo is any record without an owner.",
    "bar": "The bar chart on the dashboard counts foo by week.",
    "foo-baz": "foo_baz() retries three times and then gives up.",
    "user-service": "UserService caches profiles for five minutes, which surprised support twice.",
    "user": "Every user of the service may export their own data.",
    "user-controller": "UserController should not talk to the database, only to services.",
    "parse-config": "parseConfig throws on unknown keys, mergeConfig keeps them.",
    "merge-config": "When a config file is missing, loadDefaults is used and nothing is merged.",
    "http-client": "HTTPClient follows at most 5 redirects; raise it per call.",
    "xml": "XMLHttpRequest is only left in the upload page.",
    "handler": "handle_payment_failed puts the order on hold and mails the shop.",
    "handler-2": "handle_payment_succeeded is called twice by the provider, so it must be idempotent.",
    "payment": "A payment that failed can be handled again from the admin page.",
    "vector": "std::vector<int>::push_back made the parser slow, reserve() fixed it.",
    "numpy": "np.linalg.norm with axis=1 is faster than our own loop.",
    "numpy-2": "np.linalg.solve fails on singular matrices, catch LinAlgError.",
    "dunder": "__init__ must not open files, do that in __enter__.",
    "lodash": "_.debounce waits 300 ms in the search box.",
    "react": "useEffect without a list of dependencies ran on every key press.",
    "react-memo": "useMemo did not help with the big table, rendering fewer rows did.",
    "getter": "getUserById and getUserByEmail differ: only the first one sees deleted users.",
    "django": "settings.DATABASES['default']['CONN_MAX_AGE'] is 60 in production.",
    "rust": "tokio::spawn needs 'static, so clone the Arc first.",
    "go": "context.WithTimeout leaks unless cancel is deferred.",
    "sql": "SELECT ... FOR UPDATE SKIP LOCKED is how the queue takes jobs.",
    "generic": "Map<string, Order[]> was replaced by a class of its own.",
    # errors and exit codes
    "econnreset": "Calls to the bank failed with ECONNRESET when the pool kept dead connections.",
    "econnrefused": "ECONNREFUSED at start means that Postgres is not up yet, wait for the health check.",
    "enoent": "ENOENT in CI was a file whose name differed only in case.",
    "e0382": "error[E0382]: use of moved value, fixed by borrowing in the loop.",
    "e0502": "error[E0502] appears when the vector is changed while it is read.",
    "http-429": "HTTP 429 from the mail provider: we may send 14 a second.",
    "http-503": "HTTP 503 at deploys is the balancer draining, it lasts four seconds.",
    "exit-137": "Exit code 137 is the kernel killing the job for memory.",
    "exit-1": "Exit code 1 says nothing, look at the log of the step before.",
    "oom": "java.lang.OutOfMemoryError came from the report that loads all orders.",
    "npe": "java.lang.NullPointerException in OrderMapper when the address is missing.",
    "sigsegv": "SIGSEGV in the image worker, gone with libvips 8.15.2.",
    "ts2345": "TS2345 after the upgrade: the argument must be a Buffer now.",
    "ora": "ORA-00060 is a deadlock between the invoice and the stock job.",
    "cve": "CVE-2021-44228 did not concern us, no service used that logger.",
    "cve-2": "CVE-2022-22965 made us upgrade the framework over a weekend.",
    # environment variables, settings
    "db-url": "DATABASE_URL must end in ?sslmode=require on staging.",
    "db-pool": "DATABASE_POOL_SIZE above 20 exhausts the small instance.",
    "node-env": "NODE_ENV=production drops the development dependencies.",
    "node-options": "NODE_OPTIONS=--max-old-space-size=4096 keeps the build alive.",
    "aws": "AWS_SECRET_ACCESS_KEY is not needed any more, the role is enough.",
    "feature": "FEATURE_NEW_CHECKOUT is on for ten percent of the shops.",
    "feature-2": "The new checkout feature made returns easier.",
    "max-age": "max_connections is 200 and shared_buffers 2 GB on the primary.",
    # versions
    "v123": "v1.2.3 broke the importer; customers were told to stay on v1.2.2.",
    "v124": "v1.2.4 brings the importer back and needs no migration.",
    "v132": "v1.3.2 is the first one with dark mode.",
    "node-version": "We build with Node 20.11.1, since 20.12 broke the native module.",
    "python-version": "Python 3.11.7 is what the image has; 3.12 has to wait for the driver.",
    "rc": "2.31.0-rc1 was tagged by mistake and removed.",
    "release": "2.31.0 went out with notes in four languages.",
    "postgres": "Postgres 15.4 to 16.1 took 40 minutes with pg_upgrade --link.",
    # flags and commands
    "no-verify": "Nobody should commit with --no-verify, the hook looks for keys.",
    "verify": "Verify every address before the first parcel, no exceptions.",
    "force": "git push --force-with-lease is allowed on own branches, --force never.",
    "dry-run": "kubectl apply --dry-run=server shows what the webhooks would refuse.",
    "dry-run-2": "terraform has no dry run, read the plan.",
    "rsync": "rsync -avz --delete wiped the uploads once; the slash at the end matters.",
    "docker-prune": "docker system prune -af frees about 30 GB on the runners.",
    "pytest": "pytest -k invoice -x --lf is how I work on the invoice tests.",
    "rebase": "git rebase --onto main feature~3 moved only the last three commits.",
    # tickets, commits, ids
    "1234": "Issue #1234 asks for invoices in PDF/A, promised for spring.",
    "12345": "Issue #12345 was a duplicate and is closed.",
    "pr-88": "PR #88 rewrote the scheduler; revert it when jobs pile up.",
    "shop-77": "SHOP-77: round the tax per line and not per order.",
    "shop-78": "SHOP-78: show the tax in the cart.",
    "ops-77": "OPS-77: move the backups to another region.",
    "commit": "Commit 9fceb02d0ae598e95dc970b74767f19372d61af8 introduced the slow query.",
    "commit-short": "Bisecting ended at 3c1ffa9, where the cache key lost its locale.",
    "uuid": "Customer 550e8400-e29b-41d4-a716-446655440000 was billed twice in March.",
    "uuid-2": "Customer 550e8400-e29b-11d4-a716-446655440001 is the test account.",
    "arn": "The bucket policy names arn:aws:s3:::shop-backups-eu and nothing else.",
    "arn-2": "The backups of the shop are kept in the EU for ten years.",
    # addresses
    "mail": "Invoices bounce at billing@acme.example, write to accounts@acme.example.",
    "mail-2": "Acme pays late, remind them by phone.",
    "url": "The status page is https://status.shop.example/history and needs no login.",
    "url-2": "https://api.shop.example/v2/orders?state=open is what the warehouse polls.",
    "url-3": "The API has no orders older than two years.",
    "ip": "The old printer answers at 192.168.10.17 port 9100.",
    "ip-2": "192.168.10.1 is the router; its password is in the safe.",
    "host": "db-primary-2.internal is the one to fail over to.",
    "host-2": "The internal primary database has two standbys.",
    "port": "Metrics are on :9187/metrics, only inside the cluster.",
    # short names and signs
    "cpp": "The barcode reader is written in C++ and built by hand.",
    "c": "The label printer driver is plain C from the vendor.",
    "csharp": "The tax plug-in is C# and belongs to the agency.",
    "f-sharp": "Someone wrote the forecast in F#, nobody else reads it.",
    "dotnet": "ASP.NET is only used by the agency.",
    "nodejs": "Node.js workers are restarted at 2 in the morning.",
    "regex": r"The order number matches ^SO-\d{6}$ since 2024.",
    "jsonpath": "$.order.lines[0].sku is empty for gift cards.",
    "css": "The .btn-primary class is used by the mails too, do not rename it.",
    "k8s": "k8s probes use /healthz, the balancer uses /readyz.",
    "i18n": "i18n keys are sorted by the linter since March.",
    "cron": "The stock job runs at */15 * * * * and takes two minutes.",
    "decorator": "@retry(times=3) hides real bugs, use it for network calls only.",
    "npm-scope": "@shop/ui-kit must be published before @shop/checkout.",
}
QUERIES = [
    ("src/auth/jwt.ts", "jwt"),
    ("jwt.ts", "jwt"),
    ("what is in src/auth/session.ts?", "session"),
    ("src/auth/index.ts", "auth-index"),
    ("who owns util/index.ts", "util-index"),
    ("gateway/worker.py", "worker"),
    (r"C:\Users\ann\AppData", "windows"),
    ("/etc/nginx/conf.d/shop.conf", "etc"),
    (".env", "env"),
    ("package-lock.json", "package"),
    ("tsconfig.build.json", "tsconfig"),
    ("0042_add_invoice_index", "migration"),
    ("release.yml", "workflow"),
    ("foo_bar", "foo_bar"),
    ("is foo_bar() still fine to use?", "foo_bar"),
    ("fooBar", "foo_bar"),
    ("UserService", "user-service"),
    ("user_service", "user-service"),
    ("why does parseConfig throw", "parse-config"),
    ("parse_config", "parse-config"),
    ("HttpClient", "http-client"),
    ("handle_payment_failed", "handler"),
    ("handlePaymentSucceeded", "handler-2"),
    ("push_back", "vector"),
    ("np.linalg.norm", "numpy"),
    ("__init__", "dunder"),
    ("getUserById", "getter"),
    ("CONN_MAX_AGE", "django"),
    ("context.WithTimeout", "go"),
    ("ECONNRESET", "econnreset"),
    ("how did we fix the ECONNREFUSED error at start", "econnrefused"),
    ("error[E0382]", "e0382"),
    ("HTTP 429", "http-429"),
    ("exit code 137", "exit-137"),
    ("OutOfMemoryError", "oom"),
    ("CVE-2021-44228", "cve"),
    ("DATABASE_URL", "db-url"),
    ("which shops have FEATURE_NEW_CHECKOUT", "feature"),
    ("v1.2.3", "v123"),
    ("1.2.4", "v124"),
    ("2.31.0-rc1", "rc"),
    ("--no-verify", "no-verify"),
    ("what does --force-with-lease mean for us", "force"),
    ("rsync --delete", "rsync"),
    ("#1234", "1234"),
    ("SHOP-77", "shop-77"),
    ("commit 9fceb02", "commit"),
    ("550e8400-e29b-41d4-a716-446655440000", "uuid"),
    ("billing@acme.example", "mail"),
    ("https://api.shop.example/v2/orders", "url-2"),
    ("192.168.10.17", "ip"),
    ("db-primary-2", "host"),
    ("C++", "cpp"),
    ("@shop/ui-kit", "npm-scope"),
    ("btn-primary", "css"),
    ("user service cache", "user-service"),
    ("get user by email", "getter"),
    ("econnreset", "econnreset"),
    ("ts2345", "ts2345"),
    ("NullPointerException", "npe"),
    ("payment failed handler", "handler"),
    ("max-old-space-size", "node-options"),
    ("9fceb02", "commit"),
    ("3c1ffa9", "commit-short"),
    ("e29b-41d4", "uuid"),
    ("skip locked", "sql"),
    ("/healthz", "k8s"),
]


@pytest.fixture(scope="module")
def names(tmp_path_factory):
    """A function from a query to the names of the memories that it finds."""
    index = Index.open(str(tmp_path_factory.mktemp("index") / "index.db"), bytes(32), "v")
    ids = {new_id(1_777_000_000_000 + number): name for number, name in enumerate(MEMORIES)}
    created = "2026-05-01T00:00:00Z"
    index.apply("c", [], (Memory(id=one, created=created, body=MEMORIES[ids[one]]) for one in ids))
    yield lambda query: [ids[hit.id] for hit in index.search(query, Filters(), 5)]
    index.close()


def test_nine_in_ten_names_find_their_memory_first(names):
    missed = {query: found for query, wanted in QUERIES if (found := names(query)[:3])[:1] != [wanted]}
    assert len(MEMORIES) >= 120
    assert len(QUERIES) >= 50
    assert len(missed) <= len(QUERIES) / 10, missed


def test_names_are_found_among_the_first_five(names):
    missed = [query for query, wanted in QUERIES if wanted not in names(query)]
    assert missed == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [("UserService", "User Service"), ("HTTPClient", "HTTP Client"), ("getUserById2", "get User By Id2"),
     ("XMLHttpRequest", "XML Http Request"), ("v2Beta", "v2 Beta"), ("foo", ""), ("Foo", ""), ("FOO", "")],
)  # fmt: skip
def test_a_name_in_camel_case_has_parts(name, expected):
    assert " ".join(parts(name)) == expected
    assert folded(f"a {name}, b") == f"a {expected} {name}, b".replace("  ", " ")


def test_a_long_word_beside_a_name_takes_no_time():
    started = time.process_time()
    folded("fooBar " + "a" * 300_000)
    folded("fooBar " * 40_000)
    assert time.process_time() - started < 2
