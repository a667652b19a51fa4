"""Make the tables of all tenants, and the tenants: ``python -m tests.tenants.prepare``."""

from __future__ import annotations

import django

TOWNS = ("north", "south")


def main() -> None:
    from django.core.management import call_command

    from tests.tenants.towns.models import Domain, Town

    call_command("migrate_schemas", shared=True, verbosity=0)
    for name in TOWNS:
        town = Town(schema_name=name, name=name.title())
        town.save(verbosity=0)
        Domain.objects.create(tenant=town, domain=f"{name}.example.com", is_primary=True)
    empty = Town(schema_name="empty", name="Without tables")
    empty.auto_create_schema = False
    empty.save()


if __name__ == "__main__":
    django.setup()
    main()
