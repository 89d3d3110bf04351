"""SHA-256 digests of the weights files, and nothing else: scanners look for secrets, and these are none.

The starter model's are written by ``test/helpers/pin_starter.py`` whenever its files are exported anew.
"""

STARTER_ENCODER = "a406ef1e9b6072547193c4531e3f8699f6ebc59a9d22de5ab1f279ebb0fd722f"  # pragma: allowlist secret
STARTER_DECODER = "172b2cd4c0806d4018edd8236f78cb7dd9663db461f04b0b343e854f614e497d"  # pragma: allowlist secret
STARTER_WORDS = "d977792065e3c79ddad488cafac0f5155befedf4a9ea0846bca9aca6bf4caec3"  # pragma: allowlist secret
MOBILE_SAM_ENCODER = "580f5fb648ea1062c0aabc26217aed56921985f03f0cbbd852bba81d760cc749"  # pragma: allowlist secret
MOBILE_SAM_DECODER = "8976b90a87ba50a6a72217a5ff994f7d25ce16f2229fcc1ed259e1294c622ffe"  # pragma: allowlist secret
SAMGIS_ENCODER = "bbbd4e0c3b69d71d884d8fdd359c951278e16b2a4c4969908278dfbd7aa5dbc1"  # pragma: allowlist secret
SAMGIS_DECODER = "ada20c81154cc21cdc85a295bf400f64b0bbe0e2d024c433f610ff892dbc7070"  # pragma: allowlist secret
SAM_B_ENCODER = "3346b9cc551c9902fbf3b203935e933592b22e042365f58321c17fc12641fd6a"  # pragma: allowlist secret
SAM_B_DECODER = "edbcf1a0afaa55621fb0abe6b3db1516818b609ea9368f309746a3afc68f7613"  # pragma: allowlist secret
SAM_L_ENCODER = "f7158a4a1fe7f670ef47ea2f7f852685425c1ed6caa40f5df86cbe2b0502034f"  # pragma: allowlist secret
SAM_L_DECODER = "552ebb23bf52c5e5b971ac710d1eb8dccfd88b36cc6aff881d1536d1662e6d7b"  # pragma: allowlist secret
SAM_H_ENCODER = "a5c745fd4279efc5e5436b412200e983dafc2249ce172af6cc0002a71bb5f485"  # pragma: allowlist secret
SAM_H_DECODER = "020b385a45ffe51097e1acd10cd791075a86171153505f789a793bc382eef210"  # pragma: allowlist secret
