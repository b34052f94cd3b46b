"""The region table."""

from phasegate.regions import region_key, region_table, regions_by_name


def test_the_table_holds_the_physical_regions() -> None:
    """There are 62, by name, each once."""
    names = [region.name for region in region_table()]
    assert (62, sorted(set(names))) == (len(names), names)


def test_pairs_are_kept_as_they_are_listed() -> None:
    """Five regions name a pair that does not name them back."""
    table = regions_by_name()
    one_way = [
        (name, region.pair)
        for name, region in table.items()
        if region.pair is not None and (region.pair not in table or table[region.pair].pair != name)
    ]
    expected = [
        ("brazilsouth", "southcentralus"),
        ("brazilsoutheast", "brazilsouth"),
        ("swedencentral", "swedensouth"),
        ("westindia", "southindia"),
        ("westus3", "eastus"),
    ]
    assert expected == one_way


def test_zones_are_numbered_from_one() -> None:
    """A region with three zones has 1, 2 and 3."""
    assert (regions_by_name()["westeurope"].zones, regions_by_name()["westindia"].zones) == (("1", "2", "3"), ())


def test_a_display_name_is_brought_to_the_name() -> None:
    """Spaces and case do not matter."""
    assert region_key("West US 2") == "westus2"
