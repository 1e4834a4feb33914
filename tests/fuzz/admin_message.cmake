# Messages of the admin socket, and the JSON that seinectl reads from them.
seine_fuzz_target(admin_message DEPS seine::contract seine::cli)
