"""SHA-256 digests of the weights files, and nothing else: scanners look for secrets, and these are none.

The starter model's are written by ``test/helpers/pin_starter.py`` whenever its files are exported anew.
"""

STARTER_ENCODER = "a406ef1e9b6072547193c4531e3f8699f6ebc59a9d22de5ab1f279ebb0fd722f"  # pragma: allowlist secret
STARTER_DECODER = "172b2cd4c0806d4018edd8236f78cb7dd9663db461f04b0b343e854f614e497d"  # pragma: allowlist secret
STARTER_OBJECTNESS = "d95e14ff076a98e9e171e2899703678e61cb9ef2bb33b73f640b9f3d8da4de5e"  # pragma: allowlist secret
STARTER_WORDS = "fbb0b5a62b81bc05274bd2090798d05ef72a18c4cb02ffd22de786f4ff439091"  # pragma: allowlist secret
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
CLIP_VOCABULARY = "924691ac288e54409236115652ad4aa250f48203de50a9e4722a6ecd48d6804a"  # pragma: allowlist secret
SAM3_IMAGE = "c6f3769e9d42573806c34b663d6100b3827a4c0ecba6f45dbf39b8f3906be725"  # pragma: allowlist secret
SAM3_IMAGE_DATA = "03bd50b0703e2b04e2193ca831b7f9d5ecf40bc5287cc59b1970f56ab800c995"  # pragma: allowlist secret
SAM3_LANGUAGE = "b3b465935c9bf4cf5efd950589741f3da5eec9e9bfe459576989cbe565331b53"  # pragma: allowlist secret
SAM3_LANGUAGE_DATA = "1b03dabc657c1f2887d1b8ce2a3537467d4c033ea1f8c8be141fbca55e4b95f7"  # pragma: allowlist secret
SAM3_DECODER = "bbc216dbf3de4742f692c2a0a0fd215ea8957956002a05f28150040a88b5dc1a"  # pragma: allowlist secret
EFFICIENT_SAM3_IMAGE = "2ed08306579138120dbf9f1110fd31784d1c20fe1b67fa2187a0a2a6d7c82729"  # pragma: allowlist secret
EFFICIENT_SAM3_LANGUAGE = "3065ea6116f21f6e22bc70a0c041e5da9ae05fdec7b48df953394f5657609590"  # pragma: allowlist secret
EFFICIENT_SAM3_DECODER = "16accc22a07ee99c73ef8a14e286ec567f94c116e0d8efa1a3a6c0bc9a2596a8"  # pragma: allowlist secret
OWLV2 = "af8d6a041e4114b06eafabb03047350c7b8f136670a3f8afc7e73c5a74c2b24b"  # pragma: allowlist secret
GROUNDING_DINO = "70bf2d3310d1ae73769c96a71e00cbf2861eb33a1f4d97d84a108a7bf02c03c9"  # pragma: allowlist secret
BERT_VOCABULARY = "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"  # pragma: allowlist secret
