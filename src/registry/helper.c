/* Credential helpers: programs named docker-credential-NAME. What they print is a secret, or a reason. */

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/process.h"
#include "registry/credentials.h"

#define HELPER_OUTPUT_MAX (256u << 10) /* bytes; this program's own cap */
#define HELPER_TIMEOUT    30           /* seconds; some ask a person */
#define NOT_FOUND         "credentials not found in native keychain" /* Docker's protocol */

static int64_t now_ms(void) {
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Reads all it prints, until it closes its output. */
static int read_output(int fd, const char *program, Buf *output, Error *err) {
        const int64_t deadline = now_ms() + HELPER_TIMEOUT * 1000;
        char data[4096];

        for (;;) {
                struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
                const int64_t left = deadline - now_ms();
                ssize_t n;

                if (left <= 0 || poll(&poll_fd, 1, (int) left) == 0)
                        return error_set(err, ERROR_TIMEOUT, "credential helper '%s': no answer within %d s", program, HELPER_TIMEOUT);
                n = read(fd, data, sizeof(data));
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return error_set_errno(err, ERROR_FILE, errno, "read from '%s'", program);
                if (n == 0)
                        return 0;
                if (buf_append(output, data, (size_t) n, err) < 0) {
                        explicit_bzero(data, sizeof(data));
                        return error_set(err, ERROR_CONFIG, "credential helper '%s': more than %u bytes", program, HELPER_OUTPUT_MAX);
                }
                explicit_bzero(data, (size_t) n);
        }
}

/* Runs one verb of the protocol; @input goes to its standard input. */
static int run(const char *helper, const char *verb, const char *input, Buf *output, bool *ret_ok, Error *err) {
        _cleanup_close_ int in_read = -EBADF, in_write = -EBADF, out_read = -EBADF, out_write = -EBADF;
        _cleanup_free_ char *program = NULL;
        int in[2], out[2], status, r;
        pid_t pid;

        if (!helper[0] || strspn(helper, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") != strlen(helper))
                return error_set(err, ERROR_INVALID_CONFIG, "'%.100s' is not the name of a credential helper", helper);
        if (string_format(&program, err, "docker-credential-%s", helper) < 0)
                return -1;
        if (pipe2(in, O_CLOEXEC) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "make a pipe");
        in_read = in[0];
        in_write = in[1];
        if (pipe2(out, O_CLOEXEC) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "make a pipe");
        out_read = out[0];
        out_write = out[1];

        const char *const argv[] = { program, verb, NULL };
        const Spawn spawn = { .argv = argv, .stdin_fd = in_read, .stdout_fd = out_write, .stderr_fd = -1, .parent_death_signal = SIGKILL };
        if (process_spawn(&spawn, &pid, NULL, err) < 0) {
                if (err && err->kind == ERROR_RUNTIME_NOT_AVAILABLE)
                        err->kind = ERROR_CONFIG;
                return error_prefix(err, "credential helper");
        }
        close_keep_errno(TAKE_FD(in_read));
        close_keep_errno(TAKE_FD(out_write));
        /* A pipe holds more than a secret may have; a helper that does not read is not waited for. */
        if (fcntl(in_write, F_SETFL, O_NONBLOCK) == 0)
                (void) fd_write_all(in_write, input, strlen(input), NULL);
        close_keep_errno(TAKE_FD(in_write));
        r = read_output(out_read, program, output, err);
        if (r < 0)
                (void) kill(pid, SIGKILL);
        if (process_wait(pid, &status, r < 0 ? NULL : err) < 0 || r < 0)
                return -1;
        *ret_ok = status == 0;
        return 0;
}

static int refused(const char *helper, const char *verb, const Buf *output, Error *err) {
        return error_set(err, ERROR_CONFIG, "credential helper 'docker-credential-%s' refuses '%s': %.300s", helper, verb,
                         output->len > 0 ? output->data : "it says nothing");
}

int helper_get(const char *helper, const char *server, Credentials *ret, Error *err) {
        _cleanup_(credentials_clear) Credentials found = { 0 };
        _cleanup_buf_ Buf output = BUF_INIT(HELPER_OUTPUT_MAX);
        const JsonPlace place = { "credential helper", ERROR_CONFIG };
        const char *user = NULL, *secret = NULL;
        _cleanup_json_ json_t *json = NULL;
        bool ok;
        int r;

        if (run(helper, "get", server, &output, &ok, err) < 0)
                return -1;
        if (!ok)
                return output.data && strstr(output.data, NOT_FOUND) ? 0 : refused(helper, "get", &output, err);
        /* Not by json_parse(), whose errors quote what they could not read. */
        json = json_loadb(output.data ?: "", output.len, JSON_REJECT_DUPLICATES, NULL);
        if (output.data)
                explicit_bzero(output.data, output.len);
        if (!json_is_object(json))
                return error_set(err, ERROR_CONFIG, "credential helper 'docker-credential-%s': not a JSON object", helper);
        if (json_need_string(json, "Username", place, &user, err) < 0 || json_need_string(json, "Secret", place, &secret, err) < 0)
                return -1;
        if (strlen(user) > SECRET_MAX || strlen(secret) > SECRET_MAX)
                return error_set(err, ERROR_CONFIG, "credential helper 'docker-credential-%s': a secret is too long", helper);
        /* Docker's name for "the secret is an identity token" */
        r = !strcmp(user, "<token>") ? string_copy(secret, &found.identity_token, err) :
            string_copy(user, &found.user, err) < 0 ? -1 : string_copy(secret, &found.password, err);
        if (r < 0)
                return -1;
        *ret = found;
        found = (Credentials) { 0 };
        return 0;
}

int helper_store(const char *helper, const char *server, const Credentials *credentials, Error *err) {
        _cleanup_json_ json_t *json = json_pack("{s:s, s:s, s:s}", "ServerURL", server, "Username", credentials->user, "Secret",
                                                credentials->password);
        _cleanup_buf_ Buf output = BUF_INIT(HELPER_OUTPUT_MAX);
        _cleanup_free_ char *text = NULL;
        bool ok;
        int r;

        if (!json)
                return error_oom(err);
        if (json_print(json, &text, err) < 0)
                return -1;
        r = run(helper, "store", text, &output, &ok, err);
        explicit_bzero(text, strlen(text));
        if (r < 0)
                return -1;
        return ok ? 0 : refused(helper, "store", &output, err);
}

int helper_erase(const char *helper, const char *server, Error *err) {
        _cleanup_buf_ Buf output = BUF_INIT(HELPER_OUTPUT_MAX);
        bool ok;

        if (run(helper, "erase", server, &output, &ok, err) < 0)
                return -1;
        return ok || (output.data && strstr(output.data, NOT_FOUND)) ? 0 : refused(helper, "erase", &output, err);
}
