"""The sockets under the package requests: to wait on one with patience, and to end that from another thread."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any


def watched_adapter(requests: Any, on_socket: Callable[[Any], None]) -> Any:
    """Return an adapter for sessions of ``requests`` that tells of each socket as soon as it is connected."""
    pools = importlib.import_module("urllib3.connectionpool")

    def watched_pool(made: Any) -> Any:
        def new_pool(*args: Any, **options: Any) -> Any:
            pool = made(*args, **options)
            connection_class = pool.ConnectionCls

            def new_connection(*args: Any, **options: Any) -> Any:
                connection = connection_class(*args, **options)
                connect = connection.connect

                def connect_and_tell() -> None:
                    connect()
                    on_socket(connection.sock)

                connection.connect = connect_and_tell
                return connection

            pool.ConnectionCls = new_connection
            return pool

        return new_pool

    classes = {"http": watched_pool(pools.HTTPConnectionPool), "https": watched_pool(pools.HTTPSConnectionPool)}
    adapter = requests.adapters.HTTPAdapter(max_retries=0)
    adapter.poolmanager.pool_classes_by_scheme = classes
    proxy_manager_for = adapter.proxy_manager_for

    def watched_proxy(proxy: str, **options: Any) -> Any:
        manager = proxy_manager_for(proxy, **options)
        manager.pool_classes_by_scheme = classes
        return manager

    adapter.proxy_manager_for = watched_proxy
    return adapter
