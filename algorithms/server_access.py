"""What QGIS knows that a server needs: a login out of its authentication store, and the proxy on the way."""

from __future__ import annotations

from urllib.parse import quote

from qgis.core import QgsApplication, QgsNetworkAccessManager
from qgis.PyQt.QtCore import QThread, QUrl
from qgis.PyQt.QtNetwork import QNetworkProxy, QNetworkProxyQuery, QNetworkRequest

from ..core.errors import SettingsError

_PROXY_SCHEMES = {
    QNetworkProxy.ProxyType.HttpProxy: "http",
    QNetworkProxy.ProxyType.HttpCachingProxy: "http",
    QNetworkProxy.ProxyType.Socks5Proxy: "socks5h",
}
_DESKTOP = "desktop"
_CHOOSE = "Choose another in the Servers page of the panel."


def login_headers(authcfg: str, url: str, *, may_ask: bool | None = None) -> tuple[tuple[str, str], ...]:
    """Return the headers that a login of QGIS's authentication store adds to requests.

    Parameters
    ----------
    authcfg : str
        Its id.
    url : str
        Of the server.
    may_ask : bool, optional
        Whether QGIS may ask for the master password; where left out, in QGIS's window and its main thread.

    Raises
    ------
    SettingsError
        If the store is locked or switched off, the login is not in it, or it adds no header.
    """
    manager = QgsApplication.authManager()
    if manager.isDisabled():
        raise SettingsError(
            f"The server's login '{authcfg}' can't be read: QGIS's authentication system is switched off.",
            hint="See QGIS's messages on why, or use the server without a login.",
        )
    if not _is_unlocked(may_ask):
        raise SettingsError(
            f"The server's login '{authcfg}' is locked: QGIS was not given its master password.",
            hint="Enter it (Settings, Options, Authentication), or for qgis_process put it into a file and its path "
            "into QGIS_AUTH_PASSWORD_FILE.",
        )
    if authcfg not in manager.configIds():
        raise SettingsError(f"QGIS keeps no login '{authcfg}' any more.", hint=_CHOOSE)
    request = QNetworkRequest(QUrl(url))
    added = manager.updateNetworkRequest(request, authcfg)
    worked, request = added if isinstance(added, tuple) else (added, request)
    names = request.rawHeaderList()
    if not worked or not names:
        raise SettingsError(
            f"The login '{authcfg}' adds no header to requests, or could not.",
            hint="Use one of the method Basic, or of API header where QGIS offers it.",
        )
    return tuple((bytes(name).decode("latin-1"), bytes(request.rawHeader(name)).decode("latin-1")) for name in names)


def proxy_for(url: str) -> str:
    """Return the URL of the proxy that QGIS is set to use for an address; empty for none of its own."""
    manager = QgsNetworkAccessManager.instance()
    factory = manager.proxyFactory()
    found = factory.queryProxy(QNetworkProxyQuery(QUrl(url))) if factory is not None else [manager.fallbackProxy()]
    proxy = found[0] if found else manager.fallbackProxy()
    scheme = _PROXY_SCHEMES.get(proxy.type(), "")
    if not scheme or not proxy.hostName():
        return ""
    user = f"{quote(proxy.user(), safe='')}:{quote(proxy.password(), safe='')}@" if proxy.user() else ""
    return f"{scheme}://{user}{proxy.hostName()}:{proxy.port()}"


def _is_unlocked(may_ask: bool | None) -> bool:
    manager = QgsApplication.authManager()
    if manager.masterPasswordIsSet():
        return True
    if may_ask is None:
        application = QgsApplication.instance()
        may_ask = QgsApplication.platform() == _DESKTOP and QThread.currentThread() is application.thread()
    return bool(may_ask and manager.setMasterPassword(True))
