"""What messages, logs and provenance must not tell: the secrets in names of sources."""

from __future__ import annotations

import re

_IS = r"(?:[ \t]*=[ \t]*|%(?:25)*3d)"
_QUOTED = r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\""
_CREDENTIAL = re.compile(
    # The end of the name tells: access_token, X-Amz-Signature, AWSAccessKeyId, Ocp-Apim-Subscription-Key, ...
    r"(?i)(?P<name>password|passwd|passphrase|pwd|username|authcfg|authorization|cookie|token|key|sig|signature|secret"
    rf"|credentials?|access_?(?:key_?)?id|jwt)(?P<is>{_IS})"
    rf"(?:{_QUOTED}|(?:(?:Basic|Bearer)(?:[ +]|%(?:25)*20)+)?(?:(?!%(?:25)*26)[^&\s'\"])*)"
)
_USER_IN_URL = re.compile(r"://[^/?#&\s'\"]*@")
_USER_IN_ENCODED_URL = re.compile(
    r"(?i)(?P<begin>%(?:25)*3a(?:%(?:25)*2f){2})(?:(?!%(?:25)*(?:2f|3f|23|26))[^/?#&\s'\"])*(?:@|%(?:25)*40)"
)


def without_credentials(text: str) -> str:
    """Return a text with every password, token and key as ``***``, and without the users in its URLs.

    Parameters
    ----------
    text : str
        A path, a URL, a QGIS or GDAL source, or a sentence with one of them in it. URLs inside URLs may be encoded.

    Examples
    --------
    >>> without_credentials("/vsicurl/https://me:x@example.com/a.tif?token=x&v=1")
    '/vsicurl/https://example.com/a.tif?token=***&v=1'
    """
    text = _USER_IN_URL.sub("://", text)
    text = _USER_IN_ENCODED_URL.sub(lambda match: match["begin"], text)
    return _CREDENTIAL.sub(lambda match: f"{match['name']}{match['is']}***", text)
