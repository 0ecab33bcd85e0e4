#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "oci/manifest.h"

#define HEX       "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define BLOB(t)   "{\"mediaType\":\"" t "\",\"size\":7,\"digest\":\"sha256:" HEX "\"}"
#define OCI       "application/vnd.oci.image."
#define DOCKER    "application/vnd.docker."
#define CONFIG    "\"config\":" BLOB(OCI "config.v1+json")
#define LAYER     BLOB(OCI "layer.v1.tar+gzip")
#define V2        "\"schemaVersion\":2,"
#define MANIFEST  "{" V2 CONFIG ",\"layers\":[" LAYER "]}"

static void check_manifest_refused(const char *text, MediaType claimed, ErrorKind kind, const char *why) {
        _cleanup_(manifest_freep) Manifest *manifest = NULL;
        Error err = ERROR_INIT;

        if (manifest_parse(text, strlen(text), claimed, "manifest M", &manifest, &err) == 0)
                fail_msg("accepted: %s", text);
        assert_null(manifest);
        if (err.kind != kind || !strstr(err.text, why) || strncmp(err.text, "manifest M: ", 12))
                fail_msg("%s: %s", error_kind_name(err.kind), err.text);
}

static void check_index_refused(const char *text, MediaType claimed, ErrorKind kind, const char *why) {
        _cleanup_(index_freep) Index *index = NULL;
        Error err = ERROR_INIT;

        if (index_parse(text, strlen(text), claimed, "index I", &index, &err) == 0)
                fail_msg("accepted: %s", text);
        assert_null(index);
        if (err.kind != kind || !strstr(err.text, why) || strncmp(err.text, "index I: ", 9))
                fail_msg("%s: %s", error_kind_name(err.kind), err.text);
}

static void oci_and_docker_manifests_parse_alike(void **state) {
        static const char *const texts[] = {
                "{" V2 "\"mediaType\":\"" OCI "manifest.v1+json\"," CONFIG ",\"layers\":[" BLOB(OCI "layer.v1.tar") ","
                BLOB(OCI "layer.v1.tar+gzip") ","
                    BLOB(OCI "layer.v1.tar+zstd") "," BLOB(OCI "layer.nondistributable.v1.tar") ","
                    BLOB(OCI "layer.nondistributable.v1.tar+gzip") "," BLOB(OCI "layer.nondistributable.v1.tar+zstd") "]}",
                "{" V2 "\"mediaType\":\"" DOCKER "distribution.manifest.v2+json\",\"config\":"
                BLOB(DOCKER "container.image.v1+json") ",\"layers\":["
                    BLOB(DOCKER "image.rootfs.diff.tar") "," BLOB(DOCKER "image.rootfs.diff.tar.gzip") ","
                            BLOB(DOCKER "image.rootfs.diff.tar.zstd") ","
                    BLOB(DOCKER "image.rootfs.foreign.diff.tar") "," BLOB(DOCKER "image.rootfs.foreign.diff.tar.gzip") ","
                            BLOB(OCI "layer.v1.tar+zstd") "]}",
        };

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                _cleanup_(manifest_freep) Manifest *manifest = NULL;
                Error err = ERROR_INIT;

                if (manifest_parse(texts[i], strlen(texts[i]), MEDIA_MANIFEST, "M", &manifest, &err) < 0)
                        fail_msg("%s", err.text);
                assert_int_equal(manifest->config.type, MEDIA_CONFIG);
                assert_int_equal(manifest->n_layers, 6);
                assert_int_equal(manifest->layers[0].type, MEDIA_LAYER_TAR);
                assert_int_equal(manifest->layers[1].type, MEDIA_LAYER_GZIP);
                assert_int_equal(manifest->layers[2].type, MEDIA_LAYER_ZSTD);
                assert_int_equal(manifest->layers[3].type, MEDIA_LAYER_TAR);
                assert_int_equal(manifest->layers[4].type, MEDIA_LAYER_GZIP);
                assert_int_equal(manifest->layers[5].type, MEDIA_LAYER_ZSTD);
                assert_int_equal(manifest->layers[5].size, 7);
                assert_string_equal(manifest->layers[5].digest.text, "sha256:" HEX);
        }
}

static void a_manifest_without_layers_is_legal(void **state) {
        _cleanup_(manifest_freep) Manifest *manifest = NULL;
        const char text[] = "{" V2 CONFIG ",\"layers\":[]}";

        assert_int_equal(manifest_parse(text, strlen(text), MEDIA_UNKNOWN, "M", &manifest, NULL), 0);
        assert_int_equal(manifest->n_layers, 0);
}

static void a_document_that_is_both_is_refused(void **state) {
        check_manifest_refused("{" V2 CONFIG ",\"layers\":[],\"manifests\":[]}", MEDIA_UNKNOWN, ERROR_INVALID_SPEC, "both");
        check_manifest_refused("{" V2 "\"mediaType\":\"" OCI "manifest.v1+json\"," CONFIG ",\"layers\":[],\"manifests\":null}",
                               MEDIA_MANIFEST, ERROR_INVALID_SPEC, "both");
        check_index_refused("{" V2 "\"layers\":[],\"manifests\":[]}", MEDIA_UNKNOWN, ERROR_INVALID_SPEC, "both");
        check_index_refused("{" V2 CONFIG ",\"manifests\":[]}", MEDIA_INDEX, ERROR_INVALID_SPEC, "both");
}

static void types_that_disagree_are_refused(void **state) {
        check_manifest_refused("{" V2 "\"mediaType\":\"" OCI "index.v1+json\"," CONFIG ",\"layers\":[]}", MEDIA_UNKNOWN,
                               ERROR_INVALID_SPEC, "'mediaType'");
        check_manifest_refused("{" V2 "\"mediaType\":\"text/plain\"," CONFIG ",\"layers\":[]}", MEDIA_UNKNOWN, ERROR_INVALID_SPEC,
                               "text/plain");
        check_manifest_refused("{" V2 "\"mediaType\":5," CONFIG ",\"layers\":[]}", MEDIA_UNKNOWN, ERROR_INVALID_SPEC, "not a string");
        check_manifest_refused(MANIFEST, MEDIA_INDEX, ERROR_INVALID_SPEC, "announced");
        check_manifest_refused(MANIFEST, MEDIA_CONFIG, ERROR_INVALID_SPEC, "announced");
        check_index_refused("{" V2 "\"manifests\":[]}", MEDIA_MANIFEST, ERROR_INVALID_SPEC, "announced");
        check_index_refused("{" V2 "\"mediaType\":\"" OCI "manifest.v1+json\",\"manifests\":[]}", MEDIA_INDEX, ERROR_INVALID_SPEC,
                            "'mediaType'");
}

static void schema_1_is_refused_by_name(void **state) {
        check_manifest_refused("{\"schemaVersion\":1,\"name\":\"x\",\"fsLayers\":[]}", MEDIA_UNKNOWN, ERROR_NOT_SUPPORTED, "schema 1");
        check_manifest_refused("{" V2 "\"mediaType\":\"" DOCKER "distribution.manifest.v1+prettyjws\"}", MEDIA_UNKNOWN,
                               ERROR_NOT_SUPPORTED, "schema 1");
        check_manifest_refused("{}", MEDIA_SCHEMA1, ERROR_NOT_SUPPORTED, "schema 1");
        check_manifest_refused("{\"schemaVersion\":3," CONFIG ",\"layers\":[]}", MEDIA_UNKNOWN, ERROR_INVALID_SPEC,
                               "'schemaVersion' is 3");
        check_manifest_refused("{" CONFIG ",\"layers\":[]}", MEDIA_UNKNOWN, ERROR_INVALID_SPEC, "'schemaVersion' is missing");
        check_index_refused("{\"manifests\":[]}", MEDIA_UNKNOWN, ERROR_INVALID_SPEC, "'schemaVersion' is missing");
}

static void artifacts_are_refused_by_name(void **state) {
        check_manifest_refused("{" V2 "\"config\":" BLOB("application/vnd.oci.empty.v1+json") ",\"layers\":[" LAYER "]}", MEDIA_UNKNOWN,
                               ERROR_NOT_SUPPORTED, "artifact of type 'application/vnd.oci.empty.v1+json'");
        check_manifest_refused("{" V2 "\"artifactType\":\"application/x.sbom\",\"config\":"
                               BLOB("application/vnd.oci.empty.v1+json") ",\"layers\":[]}",
                               MEDIA_UNKNOWN, ERROR_NOT_SUPPORTED, "artifact of type 'application/x.sbom'");
        check_manifest_refused("{" V2 "\"artifactType\":\"application/x.sbom\"," CONFIG ",\"layers\":[]}", MEDIA_UNKNOWN,
                               ERROR_NOT_SUPPORTED, "x.sbom");
        check_manifest_refused("{" V2 "\"config\":" BLOB("application/vnd.cncf.helm.config.v1+json") ",\"layers\":[]}", MEDIA_UNKNOWN,
                               ERROR_NOT_SUPPORTED, "helm");
}

static void wrong_layers_are_named(void **state) {
        check_manifest_refused("{" V2 CONFIG ",\"layers\":[" LAYER "," BLOB(OCI "config.v1+json") "]}", MEDIA_UNKNOWN, ERROR_INVALID_SPEC,
                               "layers[1]: 'application/vnd.oci.image.config.v1+json' is not a layer");
        check_manifest_refused("{" V2 CONFIG ",\"layers\":[" BLOB(OCI "layer.v1.tar+gzip+encrypted") "]}", MEDIA_UNKNOWN,
                               ERROR_NOT_SUPPORTED, "layers[0]: layers of type 'application/vnd.oci.image.layer.v1.tar+gzip+encrypted'");
        check_manifest_refused("{" V2 CONFIG ",\"layers\":[7]}", MEDIA_UNKNOWN, ERROR_INVALID_SPEC, "layers[0]: not an object");
        check_manifest_refused("{" V2 CONFIG "}", MEDIA_UNKNOWN, ERROR_INVALID_SPEC, "'layers' is missing");
        check_manifest_refused("{" V2 "\"layers\":[]}", MEDIA_UNKNOWN, ERROR_INVALID_SPEC, "'config' is missing");
        check_manifest_refused("[]", MEDIA_UNKNOWN, ERROR_INVALID_SPEC, "not an object");
        check_manifest_refused("{\"a\"", MEDIA_UNKNOWN, ERROR_INVALID_JSON, "line 1");
}

static void wrong_descriptors_are_named(void **state) {
        static const struct {
                const char *descriptor, *why;
                ErrorKind kind;
        } rows[] = {
                { "{\"mediaType\":\"a\",\"digest\":\"sha256:" HEX "\"}", "config: 'size' is missing", ERROR_INVALID_SPEC },
                { "{\"mediaType\":\"a\",\"size\":-1,\"digest\":\"sha256:" HEX "\"}", "config: 'size' is -1", ERROR_INVALID_SPEC },
                { "{\"mediaType\":\"a\",\"size\":1099511627777,\"digest\":\"sha256:" HEX "\"}", "config: 'size' is 1099511627777",
                  ERROR_INVALID_SPEC },
                { "{\"mediaType\":\"a\",\"size\":1.0,\"digest\":\"sha256:" HEX "\"}", "config: 'size' is not an integer",
                  ERROR_INVALID_SPEC },
                { "{\"mediaType\":\"a\",\"size\":1}", "config: 'digest' is missing", ERROR_INVALID_SPEC },
                { "{\"size\":1,\"digest\":\"sha256:" HEX "\"}", "config: 'mediaType' is missing", ERROR_INVALID_SPEC },
                { "{\"mediaType\":\"a\",\"size\":1,\"digest\":\"sha256:../../etc/passwd\"}",
                  "config: 'sha256:../../etc/passwd' is not a digest", ERROR_INVALID_SPEC },
                { "{\"mediaType\":\"a\",\"size\":1,\"digest\":\"sha512:" HEX HEX "\"}", "sha512 is not supported", ERROR_NOT_SUPPORTED },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                char text[1024];

                snprintf(text, sizeof(text), "{" V2 "\"config\":%s,\"layers\":[]}", rows[i].descriptor);
                check_manifest_refused(text, MEDIA_UNKNOWN, rows[i].kind, rows[i].why);
        }
}

static void more_layers_than_can_be_stacked_are_refused(void **state) {
        for (size_t n = MANIFEST_LAYER_MAX; n <= MANIFEST_LAYER_MAX + 1; n++) {
                _cleanup_(manifest_freep) Manifest *manifest = NULL;
                _cleanup_buf_ Buf text = BUF_INIT(1 << 20);
                Error err = ERROR_INIT;
                int r;

                assert_int_equal(buf_puts(&text, "{" V2 CONFIG ",\"layers\":[" LAYER, NULL), 0);
                for (size_t i = 1; i < n; i++)
                        assert_int_equal(buf_puts(&text, "," LAYER, NULL), 0);
                assert_int_equal(buf_puts(&text, "]}", NULL), 0);
                r = manifest_parse(text.data, text.len, MEDIA_UNKNOWN, "M", &manifest, &err);
                assert_int_equal(r, n > MANIFEST_LAYER_MAX ? -1 : 0);
                if (r < 0)
                        assert_string_equal(err.text, "M: 501 layers, at most 500 are supported");
        }
}

static void documents_beyond_their_cap_are_refused(void **state) {
        _cleanup_free_ char *text = malloc(INDEX_SIZE_MAX + 2);

        memset(text, ' ', INDEX_SIZE_MAX + 1);
        text[MANIFEST_SIZE_MAX + 1] = '\0';
        check_manifest_refused(text, MEDIA_UNKNOWN, ERROR_INVALID_SPEC, "at most 4194304");
        text[MANIFEST_SIZE_MAX + 1] = ' ';
        text[INDEX_SIZE_MAX + 1] = '\0';
        check_index_refused(text, MEDIA_UNKNOWN, ERROR_INVALID_SPEC, "at most 16777216");
}

static void index_entries_keep_platform_and_name(void **state) {
        _cleanup_(index_freep) Index *index = NULL;
        const char text[] = "{" V2 "\"manifests\":["
                            "{\"mediaType\":\"" OCI "manifest.v1+json\",\"size\":7,\"digest\":\"sha256:" HEX "\","
                            "\"platform\":{\"os\":\"linux\",\"architecture\":\"arm\",\"variant\":\"v7\",\"features\":[1]},"
                            "\"annotations\":{\"org.opencontainers.image.ref.name\":\"a:b\",\"x\":\"y\"}},"
                            "{\"mediaType\":\"text/plain\",\"size\":0,\"digest\":\"sha256:" HEX "\"},"
                            "{\"mediaType\":\"" OCI "manifest.v1+json\",\"artifactType\":\"x/y\",\"size\":0,\"digest\":\"sha256:"
                            HEX "\"},"
                            "{\"mediaType\":\"" DOCKER "distribution.manifest.list.v2+json\",\"size\":0,\"digest\":\"sha256:" HEX "\"}"
                            "]}";

        assert_int_equal(index_parse(text, strlen(text), MEDIA_INDEX, "I", &index, NULL), 0);
        assert_int_equal(index->n_entries, 4);
        assert_int_equal(index->entries[0].descriptor.type, MEDIA_MANIFEST);
        assert_string_equal(index->entries[0].platform.os, "linux");
        assert_string_equal(index->entries[0].platform.architecture, "arm");
        assert_string_equal(index->entries[0].platform.variant, "v7");
        assert_string_equal(index->entries[0].ref_name, "a:b");
        assert_int_equal(index->entries[1].descriptor.type, MEDIA_UNKNOWN);
        assert_null(index->entries[1].platform.os);
        assert_null(index->entries[1].ref_name);
        assert_int_equal(index->entries[2].descriptor.type, MEDIA_UNKNOWN); /* an artifact is no image, whatever its type */
        assert_int_equal(index->entries[3].descriptor.type, MEDIA_INDEX);
}

static void wrong_index_entries_are_named(void **state) {
        check_index_refused("{" V2 "\"manifests\":[" LAYER ",{}]}", MEDIA_INDEX, ERROR_INVALID_SPEC,
                            "manifests[1]: 'mediaType' is missing");
        check_index_refused("{" V2 "\"manifests\":{}}", MEDIA_INDEX, ERROR_INVALID_SPEC, "'manifests' is not an array");
        check_index_refused("{" V2 "\"manifests\":[{\"mediaType\":\"a\",\"size\":1,\"digest\":\"sha256:"
                            HEX "\",\"platform\":{\"os\":1}}]}", MEDIA_INDEX,
                            ERROR_INVALID_SPEC, "manifests[0]: 'os' is not a string");
        check_index_refused("{" V2 "\"manifests\":[{\"mediaType\":\"a\",\"size\":1,\"digest\":\"sha256:" HEX
                            "\",\"annotations\":{\"org.opencontainers.image.ref.name\":[]}}]}",
                            MEDIA_INDEX, ERROR_INVALID_SPEC, "manifests[0]: 'org.opencontainers.image.ref.name' is not a string");
}

static void written_descriptors_parse_again(void **state) {
        Descriptor descriptor = { .type = MEDIA_LAYER_ZSTD, .size = UINT64_C(1) << 40 }, again;
        json_t *json = NULL;

        digest_from_hex(HEX, &descriptor.digest);
        assert_int_equal(descriptor_json(&descriptor, &json, NULL), 0);
        assert_int_equal(descriptor_parse(json, "d", &again, NULL), 0);
        assert_int_equal(again.type, descriptor.type);
        assert_int_equal(again.size, descriptor.size);
        assert_true(digest_equal(&again.digest, &descriptor.digest));
        json_decref(json);
        for (MediaType type = MEDIA_INDEX; type <= MEDIA_SCHEMA1; type++)
                assert_int_equal(media_type_parse(media_type_name(type)), type);
        assert_int_equal(media_type_parse(NULL), MEDIA_UNKNOWN);
}

static void digests_are_checked_to_the_last_digit(void **state) {
        static const char *const wrong[] = {
                "", "sha256:", HEX, "sha256" HEX, "SHA256:" HEX, "sha256:" HEX "0", "sha256:" HEX "\n",
                "sha256:0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef",
                "sha256:/123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde", "md5:0123456789abcdef0123456789abcdef", "sha512:"
                HEX,
        };
        Digest digest = { "untouched" };

        for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
                Error err = ERROR_INIT;

                assert_int_equal(digest_parse(wrong[i], &digest, &err), -1);
                assert_int_equal(err.kind, ERROR_INVALID_SPEC);
                assert_string_equal(digest.text, "untouched");
        }
        assert_int_equal(digest_parse("sha256:" HEX, &digest, NULL), 0);
        assert_string_equal(digest_hex(&digest), HEX);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(oci_and_docker_manifests_parse_alike),
                cmocka_unit_test(a_manifest_without_layers_is_legal),
                cmocka_unit_test(a_document_that_is_both_is_refused),
                cmocka_unit_test(types_that_disagree_are_refused),
                cmocka_unit_test(schema_1_is_refused_by_name),
                cmocka_unit_test(artifacts_are_refused_by_name),
                cmocka_unit_test(wrong_layers_are_named),
                cmocka_unit_test(wrong_descriptors_are_named),
                cmocka_unit_test(more_layers_than_can_be_stacked_are_refused),
                cmocka_unit_test(documents_beyond_their_cap_are_refused),
                cmocka_unit_test(index_entries_keep_platform_and_name),
                cmocka_unit_test(wrong_index_entries_are_named),
                cmocka_unit_test(written_descriptors_parse_again),
                cmocka_unit_test(digests_are_checked_to_the_last_digit),
        };

        return cmocka_run_group_tests_name("manifest", tests, NULL, NULL);
}
