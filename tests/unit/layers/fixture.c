/* The scratch store and what is asked of its trees. */

#include "fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/json.h"
#include "layers/layers.h"

int fixture_setup(void **state) {
        static bool unshared;
        Fixture *f = calloc(1, sizeof(*f));
        char path[128];

        /* Mounts of these tests are seen by nobody else. */
        if (!unshared && (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0))
                return -1;
        unshared = true;
        umask(0077);
        snprintf(f->directory, sizeof(f->directory), "/tmp/lxcri-layers-XXXXXX");
        assert_non_null(mkdtemp(f->directory));
        static const char *const names[] = { "canary", "merged", "upper", "work" };
        for (size_t i = 0; i < 4; i++) {
                snprintf(path, sizeof(path), "%s/%s", f->directory, names[i]);
                assert_int_equal(mkdir(path, 0755), 0);
        }
        snprintf(path, sizeof(path), "%s/canary/file", f->directory);
        close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
        snprintf(f->merged, sizeof(f->merged), "%s/merged", f->directory);
        snprintf(path, sizeof(path), "%s/store", f->directory);
        assert_int_equal(store_open(path, STORE_CREATE, &f->store, &f->err), 0);
        f->image.chain_ids = calloc(FIXTURE_LAYER_MAX, sizeof(Digest));
        f->image.diff_ids = calloc(FIXTURE_LAYER_MAX, sizeof(Digest));
        f->image.layers = calloc(FIXTURE_LAYER_MAX, sizeof(Descriptor));
        *state = f;
        return 0;
}

/* Nothing that any test does may reach this file. */
static void check_canary(Fixture *f) {
        struct stat st;
        char path[128];

        snprintf(path, sizeof(path), "%s/canary/file", f->directory);
        assert_int_equal(lstat(path, &st), 0);
        assert_int_equal(st.st_mode, S_IFREG | 0600);
        assert_int_equal(st.st_nlink, 1);
        assert_int_equal(st.st_size, 0);
        snprintf(path, sizeof(path), "%s/canary", f->directory);
        assert_int_equal(lstat(path, &st), 0);
        assert_int_equal(st.st_nlink, 2);
}

int fixture_teardown(void **state) {
        Fixture *f = *state;
        int parent = open("/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC);

        if (f->mounted)
                assert_int_equal(umount2(f->merged, MNT_DETACH), 0);
        check_canary(f);
        store_close(f->store);
        assert_int_equal(dir_remove_tree_at(parent, strrchr(f->directory, '/') + 1, &f->err), 0);
        close(parent);
        free(f->image.chain_ids);
        free(f->image.diff_ids);
        free(f->image.layers);
        tar_free(&f->tar);
        free(f);
        return 0;
}

void fixture_digest(const void *data, size_t len, Digest *ret) {
        char hex[SHA256_HEX_MAX];

        assert_int_equal(sha256_data(data, len, hex, NULL), 0);
        digest_from_hex(hex, ret);
}

void fixture_blob(Fixture *f, const void *blob, size_t len, const Digest *diff_id) {
        size_t i = f->image.n_layers++;

        assert_true(i < FIXTURE_LAYER_MAX);
        f->image.diff_ids[i] = *diff_id;
        f->image.layers[i] = (Descriptor) { .type = MEDIA_LAYER_TAR, .size = len };
        fixture_digest(blob, len, &f->image.layers[i].digest);
        assert_int_equal(layer_chain_id(i ? &f->image.chain_ids[i - 1] : NULL, diff_id, &f->image.chain_ids[i], &f->err), 0);
        assert_int_equal(
                file_write_atomic_at(store_blobs_fd(f->store), digest_hex(&f->image.layers[i].digest), blob, len, 0600, 0, &f->err), 0);
}

void fixture_layer(Fixture *f) {
        Digest diff_id;

        tar_end(&f->tar);
        fixture_digest(f->tar.data, f->tar.len, &diff_id);
        fixture_blob(f, f->tar.data, f->tar.len, &diff_id);
        tar_free(&f->tar);
}

/* A document becomes a blob. Takes it. */
static Descriptor put_document(Fixture *f, MediaType type, json_t *document) {
        char *text = json_dumps(document, JSON_COMPACT);
        Descriptor blob = { .type = type };

        assert_non_null(text);
        blob.size = strlen(text);
        fixture_digest(text, strlen(text), &blob.digest);
        assert_int_equal(file_write_atomic_at(store_blobs_fd(f->store), digest_hex(&blob.digest), text, strlen(text), 0600, 0, &f->err), 0);
        free(text);
        json_decref(document);
        return blob;
}

static json_t *descriptor_of(const Descriptor *blob, const char *type) {
        return json_pack("{s:s, s:s, s:I}", "mediaType", type, "digest", blob->digest.text, "size", (json_int_t) blob->size);
}

void fixture_image(Fixture *f, const char *name) {
        json_t *diff_ids = json_array(), *layers = json_array();
        Descriptor config, manifest;

        for (size_t i = 0; i < f->image.n_layers; i++) {
                json_array_append_new(diff_ids, json_string(f->image.diff_ids[i].text));
                json_array_append_new(layers, descriptor_of(&f->image.layers[i], "application/vnd.oci.image.layer.v1.tar"));
        }
        config = put_document(f, MEDIA_CONFIG,
                              json_pack("{s:s, s:s, s:{s:s, s:o}}", "architecture", "amd64", "os", "linux", "rootfs",
                                        "type", "layers", "diff_ids", diff_ids));
        manifest = put_document(f, MEDIA_MANIFEST,
                                json_pack("{s:i, s:s, s:o, s:o}", "schemaVersion", 2, "mediaType",
                                          "application/vnd.oci.image.manifest.v1+json", "config",
                                          descriptor_of(&config, "application/vnd.oci.image.config.v1+json"), "layers", layers));
        f->image.config = config.digest;
        f->image.manifest = manifest.digest;
        assert_int_equal(store_image_save(f->store, &f->image, &f->err), 0);
        assert_int_equal(store_name_set(f->store, name, &manifest, &f->err), 0);
}

/* Each suite runs with several numbers of workers: see meson.build. 0: as many as there are processors. */
static unsigned fixture_workers(void) {
        const char *text = getenv("LXCRI_TEST_WORKERS");

        return text ? (unsigned) atoi(text) : 0;
}

int fixture_unpack(Fixture *f) {
        return layers_ensure(
                &(LayersRequest) {
                        .store = f->store,
                        .image = &f->image,
                        .unpacked_max = f->unpacked_max,
                        .workers = fixture_workers(),
                        .progress = f->progress,
                },
                &f->err);
}

static void assert_no_leftovers(Fixture *f) {
        char path[160];
        struct dirent *entry;
        DIR *dir;

        snprintf(path, sizeof(path), "%s/tmp", store_path(f->store));
        dir = opendir(path);
        assert_non_null(dir);
        while ((entry = readdir(dir)))
                assert_int_equal(entry->d_name[0], '.');
        closedir(dir);
        snprintf(path, sizeof(path), "%s/layers", store_path(f->store));
        dir = opendir(path);
        assert_non_null(dir);
        while ((entry = readdir(dir)))
                if (entry->d_name[0] == '.' && strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
                        fail_msg("a lock was left: %s", entry->d_name);
        closedir(dir);
}

void fixture_unpacked(Fixture *f) {
        char *options = NULL;

        if (fixture_unpack(f) < 0)
                fail_msg("%s", f->err.text);
        assert_no_leftovers(f);
        if (f->mounted)
                assert_int_equal(umount2(f->merged, MNT_DETACH), 0);
        f->mounted = false;
        assert_int_equal(string_format(&options, NULL, "upperdir=%s/upper,workdir=%s/work,lowerdir=", f->directory, f->directory), 0);
        for (size_t i = f->image.n_layers; i > 0; i--) {
                char *longer;

                assert_int_equal(string_format(&longer, NULL, "%s%s%s", options, i == f->image.n_layers ? "" : ":", in_layer(f, i - 1, "")),
                                 0);
                free(options);
                options = longer;
        }
        if (mount("overlay", f->merged, "overlay", 0, options) < 0)
                fail_msg("mount overlay with '%s': %s", options, strerror(errno));
        free(options);
        f->mounted = true;
}

void fixture_refused(Fixture *f, ErrorKind kind, const char *text) {
        assert_int_equal(fixture_unpack(f), -1);
        if (!strstr(f->err.text, text) || f->err.kind != kind)
                fail_msg("%s: '%s' has no '%s'", error_kind_name(f->err.kind), f->err.text, text);
        assert_no_leftovers(f);
        assert_false(store_layer_exists(f->store, &f->image.chain_ids[f->image.n_layers - 1]));
}

const char *in_root(Fixture *f, const char *path) {
        static char text[8192];

        snprintf(text, sizeof(text), "%s/%s", f->merged, path);
        return text;
}

const char *in_layer(Fixture *f, size_t layer, const char *path) {
        static char text[8192];

        snprintf(text, sizeof(text), "%s/layers/%s/diff%s%s", store_path(f->store), digest_hex(&f->image.chain_ids[layer]),
                 path[0] ? "/" : "", path);
        return text;
}

void assert_text(Fixture *f, const char *path, const char *text) {
        char *data;
        Error err = ERROR_INIT;

        if (file_read_at(AT_FDCWD, in_root(f, path), 1 << 20, &data, NULL, &err) < 0)
                fail_msg("%s", err.text);
        assert_string_equal(data, text);
        free(data);
}

void assert_missing(Fixture *f, const char *path) {
        struct stat st;

        if (lstat(in_root(f, path), &st) == 0)
                fail_msg("'%s' is there", path);
        assert_true(errno == ENOENT || errno == ENOTDIR);
}

void assert_file(Fixture *f, const char *path, unsigned type, int mode, int uid, int gid, long mtime) {
        struct stat st;

        if (lstat(in_root(f, path), &st) < 0)
                fail_msg("'%s': %s", path, strerror(errno));
        assert_int_equal(st.st_mode & S_IFMT, type);
        if (mode >= 0)
                assert_int_equal(st.st_mode & 07777, mode);
        if (uid >= 0)
                assert_int_equal(st.st_uid, uid);
        if (gid >= 0)
                assert_int_equal(st.st_gid, gid);
        if (mtime >= 0)
                assert_int_equal(st.st_mtime, mtime);
}

static int compare(const struct dirent **a, const struct dirent **b) {
        return strcmp((*a)->d_name, (*b)->d_name);
}

void assert_names(Fixture *f, const char *path, const char *names) {
        struct dirent **list;
        char text[4096] = "";
        int n = scandir(in_root(f, path), &list, NULL, compare);

        assert_true(n >= 0);
        for (int i = 0; i < n; i++) {
                if (strcmp(list[i]->d_name, ".") && strcmp(list[i]->d_name, "..")) {
                        strcat(text, text[0] ? " " : "");
                        strcat(text, list[i]->d_name);
                }
                free(list[i]);
        }
        free(list);
        assert_string_equal(text, names);
}
