"""The platform images that an automatic rollout supports: data, replaceable by any other list (semantics 3).

The document prints `Windows Server` and `7,5` where the catalogue says `WindowsServer` and `7.5`; the rows are the
catalogue's.
"""

from __future__ import annotations

from typing import Final

from attrs import field, frozen


@frozen
class SupportedImage:
    """One supported row; two rows are equal whatever the case of their letters.

    >>> SupportedImage("canonical", "ubuntuserver", "18.04-lts") in DEFAULT
    True
    >>> SupportedImage("Canonical", "UbuntuServer", "20.04-LTS") in DEFAULT
    False
    """

    publisher: str = field(eq=str.casefold)
    offer: str = field(eq=str.casefold)
    sku: str = field(eq=str.casefold)


DEFAULT: Final = (
    SupportedImage("Canonical", "UbuntuServer", "16.04-LTS"),
    SupportedImage("Canonical", "UbuntuServer", "18.04-LTS"),
    SupportedImage("OpenLogic", "CentOS", "7.5"),
    SupportedImage("MicrosoftWindowsServer", "WindowsServer", "2012-R2-Datacenter"),
    SupportedImage("MicrosoftWindowsServer", "WindowsServer", "2016-Datacenter"),
    SupportedImage("MicrosoftWindowsServer", "WindowsServer", "2016-Datacenter-smalldisk"),
    SupportedImage("MicrosoftWindowsServer", "WindowsServer", "2016-Datacenter-with-Containers"),
    SupportedImage("MicrosoftWindowsServer", "WindowsServer", "2019-Datacenter"),
    SupportedImage("MicrosoftWindowsServer", "WindowsServer", "2019-Datacenter-smalldisk"),
    SupportedImage("MicrosoftWindowsServer", "WindowsServer", "2019-Datacenter-with-Containers"),
    SupportedImage("MicrosoftWindowsServer", "WindowsServer", "2019-Datacenter-Core"),
    SupportedImage("MicrosoftWindowsServer", "WindowsServer", "2019-Datacenter-Core-with-Containers"),
    SupportedImage("MicrosoftWindowsServer", "WindowsServer", "2019-Datacenter-gensecond"),
)
