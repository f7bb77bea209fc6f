"""A ROS 2 node that embeds what sensors publish; README.md."""
