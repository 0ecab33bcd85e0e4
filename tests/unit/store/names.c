#include "fixture.h"

#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"

#define MANIFEST_TYPE "\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\""
#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"

static void expect_found(Fixture *f, const char *text, unsigned digest) {
        StoreName name = {};
        Digest wanted = fixture_digest(digest);

        assert_ok(store_name_find(f->store, text, &name, &f->err), &f->err);
        assert_string_equal(name.descriptor.digest.text, wanted.text);
        store_name_clear(&name);
}

static void expect_error(Fixture *f, const char *text, ErrorKind kind) {
        StoreName name = {};

        assert_int_equal(store_name_find(f->store, text, &name, &f->err), -1);
        assert_int_equal(f->err.kind, kind);
        assert_string_not_equal(f->err.hint, "");
}

static void set(Fixture *f, const char *name, unsigned digest) {
        Descriptor descriptor = fixture_descriptor(digest);

        assert_ok(store_name_set(f->store, name, &descriptor, &f->err), &f->err);
}

static void put_index(Fixture *f, const char *text) {
        fixture_put(store_fd(f->store), "index.json", text);
}

static void short_forms_work_in_both_directions(void **state) {
        Fixture *f = *state;

        set(f, "docker.io/library/redis:latest", 1);
        set(f, "nginx", 2);
        expect_found(f, "redis", 1);
        expect_found(f, "redis:latest", 1);
        expect_found(f, "docker.io/library/nginx:latest", 2);
        expect_found(f, "library/nginx", 2);
        expect_error(f, "redis:7", ERROR_IMAGE_NOT_FOUND);
}

static void exact_name_wins_over_normalised(void **state) {
        Fixture *f = *state;

        set(f, "docker.io/library/redis:latest", 1);
        set(f, "redis", 2);
        expect_found(f, "redis", 2);
        expect_found(f, "docker.io/library/redis:latest", 1);
        expect_found(f, "library/redis:latest", 1);
}

static void two_short_forms_of_different_images_are_ambiguous(void **state) {
        Fixture *f = *state;

        set(f, "redis", 1);
        set(f, "redis:latest", 2);
        expect_error(f, "library/redis", ERROR_INVALID_ARGUMENT);
        set(f, "redis:latest", 1);
        expect_found(f, "library/redis", 1);
}

/* A digest that begins with the digits given. */
static Digest digest_from_prefix(const char *prefix) {
        char hex[65];
        Digest digest;

        snprintf(hex, sizeof(hex), "%s%0*d", prefix, (int) (64 - strlen(prefix)), 0);
        digest_from_hex(hex, &digest);
        return digest;
}

static void digests_and_their_prefixes_are_found(void **state) {
        Fixture *f = *state;
        Descriptor a = { .type = MEDIA_MANIFEST, .digest = digest_from_prefix("aaaaaa11"), .size = 1 };
        Descriptor b = { .type = MEDIA_MANIFEST, .digest = digest_from_prefix("aaaaaa22"), .size = 2 };
        StoreImage image = { .manifest = b.digest, .config = digest_from_prefix("cccccccc") };
        StoreImage nested = { .manifest = digest_from_prefix("eeeeeeee"), .config = digest_from_prefix("ffffffff") };
        char text[128];
        static const struct {
                const char *text;
                char found; /* 'a', 'b', 'n' for nested, '?' ambiguous, 0 for none */
        } cases[] = {
                { "aaaaaa1", 'a' }, { "sha256:aaaaaa2", 'b' }, { "cccccc", 'b' },  { "aaaaaa", '?' },  { "aaaaa", 0 },
                { "AAAAAA1", 0 },   { "aaaaaa3", 0 },          { "eeeeee", 'n' }, { "ffffffff", 'n' },
        };

        assert_ok(store_name_set(f->store, "a", &a, &f->err), &f->err);
        assert_ok(store_name_set(f->store, "b", &b, &f->err), &f->err);
        assert_ok(store_image_save(f->store, &image, &f->err), &f->err);
        assert_ok(store_image_save(f->store, &nested, &f->err), &f->err);
        fixture_put(store_blobs_fd(f->store), digest_hex(&nested.manifest), "{}");

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                const Digest *wanted = cases[i].found == 'a' ? &a.digest : cases[i].found == 'b' ? &b.digest : &nested.manifest;
                StoreName name = {};

                if (cases[i].found == 0 || cases[i].found == '?') {
                        expect_error(f, cases[i].text, cases[i].found ? ERROR_INVALID_ARGUMENT : ERROR_IMAGE_NOT_FOUND);
                        continue;
                }
                assert_ok(store_name_find(f->store, cases[i].text, &name, &f->err), &f->err);
                assert_string_equal(name.descriptor.digest.text, wanted->text);
                store_name_clear(&name);
        }
        snprintf(text, sizeof(text), "whatever@%s", b.digest.text);
        {
                StoreName name = {};

                assert_ok(store_name_find(f->store, text, &name, &f->err), &f->err);
                assert_string_equal(name.name, "b");
                store_name_clear(&name);
                assert_ok(store_name_find(f->store, nested.manifest.text, &name, &f->err), &f->err);
                assert_null(name.name);
                assert_int_equal(name.descriptor.size, 2);
                store_name_clear(&name);
        }
}

static void other_peoples_entries_and_fields_are_kept(void **state) {
        Fixture *f = *state;
        Digest one = fixture_digest(1), two = fixture_digest(2);
        char text[2048];

        snprintf(text, sizeof(text),
                 "{\"schemaVersion\":2,\"x-top\":[1],\"manifests\":["
                 "{" MANIFEST_TYPE ",\"size\":1,\"digest\":\"%s\",\"platform\":{\"os\":\"plan9\","
                 "\"architecture\":\"mips\"},\"x-mine\":{\"a\":null}},"
                 "{\"mediaType\":\"application/octet-stream\",\"size\":5,\"digest\":\"sha512:" ZEROS ZEROS "\","
                 "\"annotations\":{\"k\":\"v\"}},"
                 "{" MANIFEST_TYPE ",\"size\":2,\"digest\":\"%s\",\"annotations\":"
                 "{\"org.opencontainers.image.ref.name\":\"keep\",\"other\":\"1\"}}]}",
                 one.text, two.text);
        put_index(f, text);
        set(f, "new", 1);
        assert_non_null(fixture_read(store_fd(f->store), "index.json"));
        assert_non_null(strstr(fixture_read(store_fd(f->store), "index.json"), "\"x-top\":[1]"));
        assert_non_null(strstr(fixture_read(store_fd(f->store), "index.json"), "\"x-mine\":{\"a\":null}"));
        assert_non_null(strstr(fixture_read(store_fd(f->store), "index.json"), "sha512:"));
        assert_non_null(strstr(fixture_read(store_fd(f->store), "index.json"), "\"other\":\"1\""));
        expect_found(f, "new", 1);
        expect_found(f, "keep", 2);
}

static void a_new_name_takes_the_media_type_its_manifest_has(void **state) {
        Fixture *f = *state;
        Digest one = fixture_digest(1);
        char text[1024];

        snprintf(text, sizeof(text),
                 "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"application/vnd.docker.distribution.manifest.v2+json\",\"size\":1,"
                 "\"digest\":\"%s\"}]}",
                 one.text);
        put_index(f, text);
        set(f, "new", 1);
        assert_null(strstr(fixture_read(store_fd(f->store), "index.json"), "application/vnd.oci"));
}

static void a_name_is_replaced_and_stands_once(void **state) {
        Fixture *f = *state;
        StoreName *names;
        size_t n;

        set(f, "a", 1);
        set(f, "b", 1);
        set(f, "a", 2);
        assert_ok(store_names_list(f->store, &names, &n, &f->err), &f->err);
        assert_int_equal(n, 2);
        assert_string_equal(names[0].name, "a");
        assert_int_equal(names[0].descriptor.size, 2);
        assert_string_equal(names[1].name, "b");
        store_names_free(names, n);
}

static void removing_tells_whether_the_manifest_is_still_meant(void **state) {
        Fixture *f = *state;
        bool last;

        set(f, "a", 1);
        set(f, "b", 1);
        assert_ok(store_name_remove(f->store, "a", &last, &f->err), &f->err);
        assert_false(last);
        assert_ok(store_name_remove(f->store, "b", &last, &f->err), &f->err);
        assert_true(last);
        assert_int_equal(store_name_remove(f->store, "b", &last, &f->err), -1);
        assert_int_equal(f->err.kind, ERROR_IMAGE_NOT_FOUND);
}

static void one_name_for_several_platforms_means_this_machines(void **state) {
        Fixture *f = *state;
        Digest one = fixture_digest(1), two = fixture_digest(2);
        char text[2048];

        snprintf(text, sizeof(text),
                 "{\"schemaVersion\":2,\"manifests\":["
                 "{" MANIFEST_TYPE ",\"size\":1,\"digest\":\"%s\",\"platform\":{\"os\":\"linux\","
                 "\"architecture\":\"s390x\"},\"annotations\":{\"org.opencontainers.image.ref.name\":\"v1\"}},"
                 "{" MANIFEST_TYPE ",\"size\":2,\"digest\":\"%s\",\"platform\":{\"os\":\"linux\","
                 "\"architecture\":\"%s\"},\"annotations\":{\"org.opencontainers.image.ref.name\":\"v1\"}}]}",
                 one.text, two.text,
#if defined(__x86_64__)
                 "amd64"
#elif defined(__aarch64__)
                 "arm64"
#else
                 "unknown"
#endif
        );
        put_index(f, text);
        expect_found(f, "v1", 2);
}

static void thirty_two_writers_lose_no_name(void **state) {
        Fixture *f = *state;
        StoreName *names;
        size_t n;

        for (unsigned i = 0; i < 32; i++) {
                pid_t pid = fork();

                if (pid == 0) {
                        Store *store;
                        char name[16];
                        Descriptor descriptor = fixture_descriptor(i);

                        snprintf(name, sizeof(name), "image%u", i);
                        if (store_open(f->path, STORE_CREATE, &store, NULL) < 0 || store_name_set(store, name, &descriptor, NULL) < 0)
                                _exit(1);
                        _exit(0);
                }
                assert_true(pid > 0);
        }
        for (unsigned i = 0; i < 32; i++) {
                int status;

                assert_true(wait(&status) > 0);
                assert_int_equal(status, 0);
        }
        assert_ok(store_names_list(f->store, &names, &n, &f->err), &f->err);
        assert_int_equal(n, 32);
        store_names_free(names, n);
}

static void a_store_that_is_not_there_is_an_empty_one(void **state) {
        Fixture *f = *state;
        Store *store;
        StoreName *names;
        StoreName name;
        size_t n;

        assert_ok(store_open("/nonexistent/store", STORE_READ, &store, &f->err), &f->err);
        assert_ok(store_names_list(store, &names, &n, &f->err), &f->err);
        assert_int_equal(n, 0);
        store_names_free(names, n);
        assert_int_equal(store_name_find(store, "redis", &name, &f->err), -1);
        assert_int_equal(f->err.kind, ERROR_IMAGE_NOT_FOUND);
        assert_int_equal(store_name_remove(store, "redis", NULL, &f->err), -1);
        assert_int_equal(f->err.kind, ERROR_IMAGE_NOT_FOUND);
        store_close(store);
}

static void a_damaged_index_is_named(void **state) {
        Fixture *f = *state;
        StoreName *names;
        size_t n;

        put_index(f, "{\"schemaVersion\":2,\"manifests\":[");
        assert_int_equal(store_names_list(f->store, &names, &n, &f->err), -1);
        assert_int_equal(f->err.kind, ERROR_INVALID_JSON);
        assert_non_null(strstr(f->err.text, "index.json"));
        put_index(f, "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"x\",\"size\":1,\"digest\":\"sha256:../../etc\"}]}");
        assert_int_equal(store_names_list(f->store, &names, &n, &f->err), -1);
        assert_int_equal(f->err.kind, ERROR_INVALID_SPEC);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(short_forms_work_in_both_directions),
                TEST(exact_name_wins_over_normalised),
                TEST(two_short_forms_of_different_images_are_ambiguous),
                TEST(digests_and_their_prefixes_are_found),
                TEST(other_peoples_entries_and_fields_are_kept),
                TEST(a_new_name_takes_the_media_type_its_manifest_has),
                TEST(a_name_is_replaced_and_stands_once),
                TEST(removing_tells_whether_the_manifest_is_still_meant),
                TEST(one_name_for_several_platforms_means_this_machines),
                TEST(thirty_two_writers_lose_no_name),
                TEST(a_store_that_is_not_there_is_an_empty_one),
                TEST(a_damaged_index_is_named),
        };

        return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
