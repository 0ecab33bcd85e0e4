/* Shifting owners by hand, where a filesystem or kernel cannot do it by a mount. */

#include "store/drivers/shift.h"

#include <endian.h>
#include <linux/capability.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <string.h>

static int no_id(const char *what, uint32_t id, Error *err) {
        error_set(err, ERROR_INVALID_ARGUMENT, "the user namespace has no id for %s %u", what, id);
        return error_hint(err, "map more ids by --uidmap and --gidmap, or use --userns host");
}

int shift_owner(const IdMapping *mapping, struct stat *st, Error *err) {
        uint32_t uid, gid;

        if (!id_map_host(&mapping->uids, st->st_uid, &uid))
                return no_id("user", st->st_uid, err);
        if (!id_map_host(&mapping->gids, st->st_gid, &gid))
                return no_id("group", st->st_gid, err);
        st->st_uid = uid;
        st->st_gid = gid;
        return 0;
}

/* Capabilities that count for whoever is root of the namespace, or for one root of its own that they name. */
static int shift_capability(const IdMapping *mapping, char *value, size_t size, ssize_t *len, Error *err) {
        struct vfs_ns_cap_data data = {};
        uint32_t version, root;

        if (*len < (ssize_t) XATTR_CAPS_SZ_2 || *len > (ssize_t) sizeof(data) || size < sizeof(data))
                return 0;
        memcpy(&data, value, (size_t) *len);
        version = le32toh(data.magic_etc) & VFS_CAP_REVISION_MASK;
        if (version != VFS_CAP_REVISION_2 && version != VFS_CAP_REVISION_3)
                return 0;
        root = version == VFS_CAP_REVISION_3 ? le32toh(data.rootid) : 0;
        if (!id_map_host(&mapping->uids, root, &root))
                return no_id("user", root, err);
        data.rootid = htole32(root);
        data.magic_etc = htole32(VFS_CAP_REVISION_3 | (le32toh(data.magic_etc) & ~(uint32_t) VFS_CAP_REVISION_MASK));
        memcpy(value, &data, sizeof(data));
        *len = sizeof(data);
        return 0;
}

static int shift_acl(const IdMapping *mapping, char *value, ssize_t len, Error *err) {
        for (size_t at = sizeof(struct posix_acl_xattr_header); at + sizeof(struct posix_acl_xattr_entry) <= (size_t) len;
             at += sizeof(struct posix_acl_xattr_entry)) {
                struct posix_acl_xattr_entry entry;
                uint32_t id;
                bool user;

                memcpy(&entry, value + at, sizeof(entry));
                user = le16toh(entry.e_tag) == ACL_USER;
                if (!user && le16toh(entry.e_tag) != ACL_GROUP)
                        continue;
                if (!id_map_host(user ? &mapping->uids : &mapping->gids, le32toh(entry.e_id), &id))
                        return no_id(user ? "user" : "group", le32toh(entry.e_id), err);
                entry.e_id = htole32(id);
                memcpy(value + at, &entry, sizeof(entry));
        }
        return 0;
}

int shift_xattr(const IdMapping *mapping, const char *name, char *value, size_t size, ssize_t *len, Error *err) {
        if (!strcmp(name, "security.capability"))
                return shift_capability(mapping, value, size, len, err);
        if (!strcmp(name, "system.posix_acl_access") || !strcmp(name, "system.posix_acl_default"))
                return shift_acl(mapping, value, *len, err);
        return 0;
}
