/* login: keep credentials for a registry, once it has taken them. */

#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "cli/registry-options.h"

#define SECRET_INPUT_MAX 65536 /* bytes; the registry client's own cap */

typedef struct LoginArgs {
        RegistryArgs registry; /* first */
        const char *user;
        bool password_stdin;
} LoginArgs;

static const Option login_options[] = {
        OPT_STRING('u', "username", LoginArgs, user, "USER", "who you are there; asked for on a terminal unless given"),
        OPT_FLAG(0, "password-stdin", LoginArgs, password_stdin, "read the password from standard input"),
        OPT_END
};

/* One line, without its end. */
static int read_line(char **ret, Error *err) {
        _cleanup_buf_ Buf line = BUF_INIT(SECRET_INPUT_MAX);
        char c;
        ssize_t n;

        while ((n = read(STDIN_FILENO, &c, 1)) > 0 && c != '\n')
                if (buf_append(&line, &c, 1, err) < 0)
                        return -1;
        if (n < 0)
                return errno == EINTR ? error_set(err, ERROR_INTERRUPTED, "interrupted") :
                                        error_set_errno(err, ERROR_FILE, errno, "read standard input");
        if (line.len > 0 && line.data[line.len - 1] == '\r')
                line.data[--line.len] = '\0';
        return string_copy(line.data ?: "", ret, err);
}

static int ask(const char *question, bool secret, char **ret, Error *err) {
        struct termios old, quiet;
        int r;

        if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &old) < 0)
                return error_set(err, ERROR_INVALID_ARGUMENT, "no user name or password");
        (void) fd_write_all(STDERR_FILENO, question, strlen(question), NULL);
        quiet = old;
        quiet.c_lflag &= ~(tcflag_t) ECHO;
        if (secret)
                (void) tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
        r = read_line(ret, err);
        if (secret) {
                (void) tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
                (void) fd_write_all(STDERR_FILENO, "\n", 1, NULL);
        }
        return r;
}

static int find_credentials(const LoginArgs *args, char **user, char **password, Error *err) {
        const char *colon = args->registry.creds ? strchr(args->registry.creds, ':') : NULL;

        if (args->registry.creds) {
                if (!colon)
                        return error_set(err, ERROR_INVALID_ARGUMENT, "option '--creds': not USER:PASSWORD");
                return string_format(user, err, "%.*s", (int) (colon - args->registry.creds), args->registry.creds) < 0 ?
                               -1 :
                               string_copy(colon + 1, password, err);
        }
        if (args->password_stdin && !args->user)
                return error_set(err, ERROR_INVALID_ARGUMENT, "--password-stdin needs --username");
        if (args->user ? string_copy(args->user, user, err) < 0 : ask("Username: ", false, user, err) < 0)
                return error_hint(err, "give them by --username and --password-stdin");
        if (args->password_stdin ? read_line(password, err) < 0 : ask("Password: ", true, password, err) < 0)
                return error_hint(err, "give it by --password-stdin");
        return 0;
}

static int run(Cli *cli, const Call *call, Error *err) {
        const LoginArgs *args = call->args;
        RegistryOptions options = registry_request(cli, call, &args->registry);
        _cleanup_free_ char *user = NULL, *password = NULL, *file = NULL;
        const RegistryModule *module;
        RegistryLogin login;
        Registry *registry;
        int r;

        if (find_credentials(args, &user, &password, err) < 0)
                return -1;
        options.creds = NULL;
        module = registry_module(err);
        if (!module || module->open(&options, &registry, err) < 0)
                return -1;
        login = (RegistryLogin) { .registry = call->operands[0], .user = user, .password = password };
        r = module->login(registry, &login, &file, err);
        module->close(registry);
        explicit_bzero(password, strlen(password));
        return r < 0 ? error_prefix(err, "login") : output_printf(&cli->out, err, "credentials kept in %s\n", file);
}

const Command cmd_login = {
        .name = "login",
        .group = COMMANDS_IMAGES,
        .summary = "keep credentials for a registry",
        .operands = "REGISTRY",
        .description = "The credentials are tried first, and kept only when the registry takes them: in --authfile, $REGISTRY_AUTH_FILE or "
                       "containers/auth.json, which podman and skopeo read too, or with the credential helper that this file names.",
        .examples = "proxmox-lxcri login registry.example\n"
                    "pass show registry | proxmox-lxcri login -u me --password-stdin registry.example:5000",
        .min_operands = 1,
        .max_operands = 1,
        .options = (const Option *const[]) { login_options, registry_options, NULL },
        .args_size = sizeof(LoginArgs),
        .run = run,
};
