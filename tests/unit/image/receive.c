/* Receiving an image from a source of blobs: nothing is asked for twice, half a blob is continued, and a wrong one leaves nothing. */

#include "fixture.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "image/receive.h"

#define BLOBS_MAX 8

/* A source in memory. */
typedef struct Memory {
        char *data[BLOBS_MAX];
        Descriptor blobs[BLOBS_MAX];
        size_t n;
        pthread_mutex_t lock;
        unsigned opened;    /* readers there were */
        uint64_t given;     /* bytes */
        uint64_t offset;    /* of the last reader */
        size_t fail_after;  /* bytes of one blob after which reading fails; 0: never */
        bool damage;        /* the last byte of what is given is wrong */
} Memory;

typedef struct Reader {
        Memory *memory;
        const char *data;
        size_t left, given;
} Reader;

static int memory_open(void *userdata, const Descriptor *blob, uint64_t offset, void **ret_reader, Error *err) {
        Memory *m = userdata;

        for (size_t i = 0; i < m->n; i++) {
                Reader *r;

                if (!digest_equal(&m->blobs[i].digest, &blob->digest))
                        continue;
                r = malloc(sizeof(*r));
                assert_non_null(r);
                *r = (Reader) { m, m->data[i] + offset, m->blobs[i].size - offset, 0 };
                pthread_mutex_lock(&m->lock);
                m->opened++;
                m->offset = offset;
                pthread_mutex_unlock(&m->lock);
                *ret_reader = r;
                return 0;
        }
        return error_set(err, ERROR_IMAGE_NOT_FOUND, "the source has no such blob");
}

static int memory_read(void *reader, void *data, size_t size, size_t *ret_len, Error *err) {
        Reader *r = reader;
        size_t n = r->left < size ? r->left : size;

        n = n < 1000 ? n : 1000;
        if (r->memory->fail_after && r->given >= r->memory->fail_after)
                return error_set(err, ERROR_REGISTRY, "the source broke off");
        memcpy(data, r->data, n);
        if (r->memory->damage && n > 0 && n == r->left && r->given + n > 1000)
                ((char *) data)[n - 1] ^= 1;
        r->data += n;
        r->left -= n;
        r->given += n;
        pthread_mutex_lock(&r->memory->lock);
        r->memory->given += n;
        pthread_mutex_unlock(&r->memory->lock);
        *ret_len = n;
        return 0;
}

typedef struct Scene {
        Fixture *f;
        Memory memory;
        BlobSource source;
        Descriptor manifest;
} Scene;

static const Descriptor *add(Scene *s, MediaType type, const void *data, size_t len) {
        Descriptor *blob = &s->memory.blobs[s->memory.n];

        assert_true(s->memory.n < BLOBS_MAX);
        s->memory.data[s->memory.n] = malloc(len);
        assert_non_null(s->memory.data[s->memory.n]);
        memcpy(s->memory.data[s->memory.n++], data, len);
        *blob = (Descriptor) { .type = type, .size = len };
        fixture_digest(data, len, &blob->digest);
        return blob;
}

/* An image of three layers, the first and the last the same blob. */
static void scene_make(Scene *s, Fixture *f) {
        static char large[50000];
        char config[1024], manifest[2048];
        const Descriptor *layers[2], *blob;
        Tar tar = { 0 };

        *s = (Scene) { .f = f, .memory = { .lock = PTHREAD_MUTEX_INITIALIZER } };
        s->source = (BlobSource) { .open = memory_open, .read = memory_read, .close = free, .userdata = &s->memory };
        memset(large, 'x', sizeof(large) - 1);
        TAR(&tar, "a", .text = large, .mode = 0644);
        tar_end(&tar);
        layers[0] = add(s, MEDIA_LAYER_TAR, tar.data, tar.len);
        tar_free(&tar);
        TAR(&tar, "b", .text = "second", .mode = 0644);
        TAR(&tar, ".wh.a");
        tar_end(&tar);
        layers[1] = add(s, MEDIA_LAYER_TAR, tar.data, tar.len);
        tar_free(&tar);
        snprintf(config, sizeof(config),
                 "{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"%s\",\"%s\",\"%s\"]}}",
                 layers[0]->digest.text, layers[1]->digest.text, layers[0]->digest.text);
        blob = add(s, MEDIA_CONFIG, config, strlen(config));
#define LAYER "{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar\",\"digest\":\"%s\",\"size\":%llu}"
        snprintf(manifest, sizeof(manifest),
                 "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"config\":{\"mediaType\":"
                 "\"application/vnd.oci.image.config.v1+json\",\"digest\":\"%s\",\"size\":%llu},"
                 "\"layers\":[" LAYER "," LAYER "," LAYER "]}",
                 blob->digest.text, (unsigned long long) blob->size, layers[0]->digest.text, (unsigned long long) layers[0]->size,
                 layers[1]->digest.text, (unsigned long long) layers[1]->size, layers[0]->digest.text,
                 (unsigned long long) layers[0]->size);
        s->manifest = *add(s, MEDIA_MANIFEST, manifest, strlen(manifest));
}

static void scene_clear(Scene *s) {
        for (size_t i = 0; i < s->memory.n; i++)
                free(s->memory.data[i]);
}

static int receive(Scene *s, bool unpack, bool drop) {
        const ReceiveRequest request = {
                .source = &s->source,
                .descriptor = &s->manifest,
                .name = "example.org/x:1",
                .unpack = unpack,
                .drop_blobs = drop,
                .workers = 3,
        };
        ImportedImage image;

        s->f->err = ERROR_INIT;
        if (image_receive(s->f->store, &request, NULL, &image, &s->f->err) < 0)
                return -1;
        assert_string_equal(image.name, "example.org/x:1");
        assert_true(digest_equal(&image.manifest, &s->manifest.digest));
        free(image.name);
        return 0;
}

static bool has_blob(const Scene *s, size_t i) {
        return faccessat(store_blobs_fd(s->f->store), digest_hex(&s->memory.blobs[i].digest), F_OK, 0) == 0;
}

static unsigned count_layers(const Scene *s) {
        Digest *layers;
        size_t n;

        assert_int_equal(store_layers_list(s->f->store, &layers, &n, NULL), 0);
        free(layers);
        return (unsigned) n;
}

static void each_blob_is_asked_for_once(void **state) {
        Scene s;

        scene_make(&s, *state);
        assert_int_equal(receive(&s, true, false), 0);
        assert_int_equal(s.memory.opened, 4);
        assert_int_equal(count_layers(&s), 3);
        for (size_t i = 0; i < s.memory.n; i++)
                assert_true(has_blob(&s, i));
        /* A second time nothing is asked for at all. */
        assert_int_equal(receive(&s, true, false), 0);
        assert_int_equal(s.memory.opened, 4);
        scene_clear(&s);
}

static void without_unpacking_the_blobs_are_there(void **state) {
        Scene s;

        scene_make(&s, *state);
        assert_int_equal(receive(&s, false, false), 0);
        assert_int_equal(count_layers(&s), 0);
        assert_true(has_blob(&s, 0) && has_blob(&s, 1));
        assert_int_equal(s.memory.opened, 4);
        scene_clear(&s);
}

static void dropped_blobs_leave_their_layers(void **state) {
        Scene s;

        scene_make(&s, *state);
        assert_int_equal(receive(&s, true, true), 0);
        assert_int_equal(count_layers(&s), 3);
        assert_false(has_blob(&s, 0) || has_blob(&s, 1));
        assert_true(has_blob(&s, 2) && has_blob(&s, 3));
        scene_clear(&s);
}

static void half_a_blob_is_continued(void **state) {
        uint64_t before;
        Scene s;

        scene_make(&s, *state);
        s.memory.fail_after = 20000;
        assert_int_equal(receive(&s, true, false), -1);
        assert_int_equal(s.f->err.kind, ERROR_REGISTRY);
        assert_int_equal(count_layers(&s), 0);
        before = s.memory.given;
        s.memory.fail_after = 0;
        assert_int_equal(receive(&s, true, false), 0);
        assert_int_equal(count_layers(&s), 3);
        /* The documents come again, and of the large layer only the rest. */
        assert_true(s.memory.given - before < s.memory.blobs[0].size);
        scene_clear(&s);
}

static void damaged_rest_of_an_earlier_time_is_fetched_anew(void **state) {
        int fd;
        Scene s;

        scene_make(&s, *state);
        assert_int_equal(dir_make_at(store_fd(s.f->store), "downloads", 0700, &fd, NULL), 0);
        assert_int_equal(file_write_atomic_at(fd, digest_hex(&s.memory.blobs[0].digest), "not it", 6, 0600, 0, NULL), 0);
        close(fd);
        assert_int_equal(receive(&s, true, false), 0);
        assert_int_equal(count_layers(&s), 3);
        assert_true(has_blob(&s, 0));
        scene_clear(&s);
}

static void wrong_blob_leaves_nothing(void **state) {
        Scene s;

        scene_make(&s, *state);
        s.memory.damage = true;
        assert_int_equal(receive(&s, true, false), -1);
        assert_int_equal(s.f->err.kind, ERROR_DIGEST_MISMATCH);
        assert_int_equal(count_layers(&s), 0);
        assert_false(has_blob(&s, 0));
        s.memory.damage = false;
        assert_int_equal(receive(&s, true, false), 0);
        scene_clear(&s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(each_blob_is_asked_for_once),
                TEST(without_unpacking_the_blobs_are_there),
                TEST(dropped_blobs_leave_their_layers),
                TEST(half_a_blob_is_continued),
                TEST(damaged_rest_of_an_earlier_time_is_fetched_anew),
                TEST(wrong_blob_leaves_nothing),
        };

        return cmocka_run_group_tests_name("receive", tests, NULL, NULL);
}
