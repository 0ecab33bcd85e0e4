/* ROOT/ID/network.json: what an undo and inspect know of a container's network. */

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "network/network.h"

static const JsonPlace place = { NETWORK_FILE, ERROR_INVALID_STATE };

NetworkRecord *network_record_free(NetworkRecord *record) {
        if (!record)
                return NULL;
        strv_free(record->dns);
        strv_free(record->dns_search);
        strv_free(record->ports);
        free(record);
        return NULL;
}

static json_t *address_json(const NetworkAddress *address, bool prefix) {
        char text[ADDRESS_TEXT_MAX];

        return address->family ? json_string(address_text(address, prefix, text)) : NULL;
}

static json_t *strings_json(char *const *strings) {
        json_t *array = json_array();

        for (; strings && *strings; strings++)
                (void) json_array_append_new(array, json_string(*strings));
        return array;
}

int network_record_json(const NetworkRecord *record, json_t **ret, Error *err) {
        char mac[MAC_TEXT_MAX];
        json_t *json;

        /* A field without a value ("o*") is left out. */
        json = json_pack("{s:s, s:s, s:s, s:i, s:i, s:o*, s:o*, s:o*, s:o*, s:o, s:o, s:o, s:b, s:b, s:b}", "bridge", record->bridge,
                         "hostDevice", record->veth, "macAddress", mac_text(record->mac, mac), "mtu", (int) record->mtu, "vlan",
                         (int) record->vlan, "ip", address_json(&record->ip, true), "ip6", address_json(&record->ip6, true), "gateway",
                         address_json(&record->gateway, false), "gateway6", address_json(&record->gateway6, false), "dns",
                         strings_json(record->dns), "dnsSearch", strings_json(record->dns_search), "ports", strings_json(record->ports),
                         "published", record->published, "dhcp", record->dhcp, "complete", record->complete);
        if (!json)
                return error_oom(err);
        *ret = json;
        return 0;
}

int network_record_save(int dir_fd, const NetworkRecord *record, Error *err) {
        _cleanup_json_ json_t *json = NULL;

        if (network_record_json(record, &json, err) < 0)
                return -1;
        return json_save_at(dir_fd, NETWORK_FILE, json, 0600, 0, err);
}

static int name_load(const json_t *json, const char *key, char ret[IF_NAMESIZE], Error *err) {
        const char *text;

        if (json_need_string(json, key, place, &text, err) < 0)
                return -1;
        if (strlen(text) >= IF_NAMESIZE)
                return error_set(err, ERROR_INVALID_STATE, NETWORK_FILE ": '%s' is too long", key);
        memcpy(ret, text, strlen(text) + 1);
        return 0;
}

static int address_load(const json_t *json, const char *key, bool prefix, NetworkAddress *ret, Error *err) {
        const char *text = NULL;

        if (json_opt_string(json, key, place, &text, err) < 0)
                return -1;
        if (text && address_parse(text, 0, prefix, ret, err) < 0)
                return error_prefix(err, NETWORK_FILE ": '%s'", key);
        return 0;
}

static int strings_load(const json_t *json, const char *key, char ***ret, Error *err) {
        json_t *array = NULL, *value;
        size_t i;

        if (json_opt_array(json, key, place, &array, err) < 0)
                return -1;
        json_array_foreach(array, i, value) {
                if (!json_is_string(value))
                        return error_set(err, ERROR_INVALID_STATE, NETWORK_FILE ": '%s' is not a list of strings", key);
                if (strv_push(ret, json_string_value(value), err) < 0)
                        return -1;
        }
        return 0;
}

static int record_parse(const json_t *json, NetworkRecord *record, Error *err) {
        int64_t mtu = 0, vlan = 0;
        const char *mac;

        if (json_need_root(json, place, err) < 0 || name_load(json, "bridge", record->bridge, err) < 0 ||
            name_load(json, "hostDevice", record->veth, err) < 0 || json_need_string(json, "macAddress", place, &mac, err) < 0 ||
            json_opt_integer(json, "mtu", place, 0, INT32_MAX, &mtu, err) < 0 ||
            json_opt_integer(json, "vlan", place, 0, UINT16_MAX, &vlan, err) < 0 || address_load(json, "ip", true, &record->ip, err) < 0 ||
            address_load(json, "ip6", true, &record->ip6, err) < 0 || address_load(json, "gateway", false, &record->gateway, err) < 0 ||
            address_load(json, "gateway6", false, &record->gateway6, err) < 0 || strings_load(json, "dns", &record->dns, err) < 0 ||
            strings_load(json, "dnsSearch", &record->dns_search, err) < 0 || strings_load(json, "ports", &record->ports, err) < 0 ||
            json_opt_bool(json, "published", place, &record->published, err) < 0 ||
            json_opt_bool(json, "dhcp", place, &record->dhcp, err) < 0 ||
            json_opt_bool(json, "complete", place, &record->complete, err) < 0)
                return -1;
        if (mac_parse(mac, record->mac) < 0)
                return error_set(err, ERROR_INVALID_STATE, NETWORK_FILE ": 'macAddress' is none");
        record->mtu = (unsigned) mtu;
        record->vlan = (unsigned) vlan;
        return 0;
}

int network_record_load(int dir_fd, NetworkRecord **ret, Error *err) {
        _cleanup_(network_record_freep) NetworkRecord *record = NULL;
        _cleanup_json_ json_t *json = NULL;
        Error e = ERROR_INIT;

        if (json_load_at(dir_fd, NETWORK_FILE, NETWORK_SIZE_MAX, &json, &e) < 0) {
                if (e.errnum == ENOENT) {
                        *ret = NULL;
                        return 0;
                }
                if (err)
                        *err = e;
                return -1;
        }
        record = calloc(1, sizeof(*record));
        if (!record)
                return error_oom(err);
        if (record_parse(json, record, err) < 0)
                return -1;
        *ret = TAKE(record);
        return 0;
}
