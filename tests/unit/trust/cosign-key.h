#pragma once

/* A key pair as `cosign generate-key-pair` 2.5 writes it, of no use but here; its passphrase is "secret". */

static const char cosign_private[] =
        "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n"
        "eyJrZGYiOnsibmFtZSI6InNjcnlwdCIsInBhcmFtcyI6eyJOIjo2NTUzNiwiciI6\n"
        "OCwicCI6MX0sInNhbHQiOiJoOU9YMnpoMWhrSVk4SENFbG56U1kybkxQZjhESTZj\n"
        "bGMzTGNhajlsY2pJPSJ9LCJjaXBoZXIiOnsibmFtZSI6Im5hY2wvc2VjcmV0Ym94\n"
        "Iiwibm9uY2UiOiJyZ0VRZHdlamQ3NThjVWJ1NG12VFEwSDE5TzNNaVYrViJ9LCJj\n"
        "aXBoZXJ0ZXh0IjoidkJWdmpkb203Vlc4QWdlMEhTem40alpTbzlOL0VaVFR0OUNz\n"
        "R052QXR0Nzd2RitMVVloa0xwZDhkaWN4R0tZckhzcU82SStveWZCUk94V0h5c2dM\n"
        "bWJudUVNbXFaYlFKaXd2bjVyOE84aVJoQmJ0NUcySDZwVW9UVkp4MW5CSkxsYzc2\n"
        "ZGlmR3VaZEE0MGhldVNnazluSGR3d1FrWmwvMUUvTVVyRjBWVDI3aTArVUppRUht\n"
        "cVZhdTR4UVN0VkYxR0hKOEc3WGdpdFRhWmc9PSJ9\n"
        "-----END ENCRYPTED SIGSTORE PRIVATE KEY-----\n";

static const char cosign_public[] =
        "-----BEGIN PUBLIC KEY-----\n"
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEIIsFWeAT3+5YViDYKsewLw3FTfYH\n"
        "v7J6rCHhpv+ilHAgRDmqxvXBD7EMMzxYiL2HO4WEQyhDo4fWMa3ekE4vSw==\n"
        "-----END PUBLIC KEY-----\n";
