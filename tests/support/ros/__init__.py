"""A stand-in for rclpy and for the packages of messages, since no installation of ROS is here.

It has what examples/ros2 uses, and refuses what rclpy refuses: fields of a wrong type, parameters out of
their range, publishers that are not active, qualities of service that do not fit. Messages go as CDR from the
publisher to the subscription, by rosbags. It shows that the node's own logic is right, and is no proof that
the node runs on a ROS installation.
"""
