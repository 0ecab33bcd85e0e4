/* Options about a network. Each line is one: a letter that chooses it, and its value. What is accepted can be read again from its words. */

#include "fuzz.h"
#include "network/network.h"

static void check_name(const char *text) {
        CHECK(text[0] && !strpbrk(text, " \t\n\r\v\f#"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = fuzz_text(data, size);
        NetworkOptions options = { 0 }, again = { 0 };
        char *cursor = text, *line;
        Error err = ERROR_INIT;
        json_t *values, *value;
        const char *name;
        size_t i, n = 0;

        while (network_option_at(n))
                n++;
        while ((line = strsep(&cursor, "\n")))
                if (line[0] && network_option_take(&options, network_option_at((unsigned char) line[0] % n)->name, line + 1, &err) < 0) {
                        check_error(&err);
                        CHECK(err.kind == ERROR_INVALID_ARGUMENT);
                }
        CHECK(options.n_ports <= NETWORK_LIST_MAX && options.mtu <= 65535 && options.vlan <= 4094 && !(options.mac[0] & 1));
        for (i = 0; i < options.n_ports; i++)
                CHECK(options.ports[i].host_port && options.ports[i].container_port);
        for (char **entry = options.add_host; entry && *entry; entry++)
                check_name(*entry);
        for (char **entry = options.dns; entry && *entry; entry++)
                check_name(*entry);
        for (char **entry = options.dns_search; entry && *entry; entry++)
                check_name(*entry);
        json_object_foreach(options.given, name, values)
                json_array_foreach(values, i, value)
                        CHECK(network_option_take(&again, name, json_string_value(value), &err) == 0);
        CHECK(again.n_ports == options.n_ports);
        if (network_options_check(&options, "vmbr0", &err) < 0)
                check_error(&err);
        network_options_clear(&options);
        network_options_clear(&again);
        return 0;
}
