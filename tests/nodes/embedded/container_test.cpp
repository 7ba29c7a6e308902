// SPDX-License-Identifier: Apache-2.0
// The words that a container's unit makes for its kubelet.
#include <string>

#include <gtest/gtest.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "support/embedded.hpp"

namespace kubelet_sysctl {
namespace {

using embedded::command_of;
using embedded::node;
using embedded::Texts;
using embedded::words_of;

nodes::NodeSnapshot container(const std::string& options, const std::string& arguments) {
  return node("kubelet.service",
              "/usr/bin/podman run " + options + " ${KUBELET_IMAGE} " + arguments,
              "Environment=KUBELET_IMAGE=image:v1\n");
}

TEST(ContainerHost, ArgumentsOfTheKubeletBeginBehindTheImage) {
  EXPECT_EQ(words_of(container("--name kubelet --pid host -v /etc:/etc:ro,z --privileged -it",
                               "--v=2 --a b")),
            (Texts{"--v=2", "--a", "b"}));
  EXPECT_EQ(words_of(container("--entrypoint=/kubelet -- ", "--v=2")), Texts{"--v=2"});
  EXPECT_EQ(words_of(container("", "/hyperkube kubelet --v=3")), Texts{"--v=3"});
}

TEST(ContainerHost, OptionThatIsNotKnownMayTakeTheNextWord) {
  const auto command = command_of(container("--new-option image", "--v=2"));
  ASSERT_FALSE(command);
  EXPECT_EQ(command.error().kind, ErrorKind::kUnsupported);
  EXPECT_NE(command.error().message.find("'--new-option'"), std::string::npos);
  EXPECT_EQ(words_of(container("--new-option=image", "--v=2")), Texts{"--v=2"});
}

TEST(ContainerHost, CommandBeforeTheMainProcessStartsTheContainerToo) {
  EXPECT_EQ(
      words_of(node("kubelet.service", "docker logs -f kubelet",
                    "Environment=KUBELET_IMAGE=image:v1\nExecStartPre=/bin/mkdir -p /x\n"
                    "ExecStartPre=/usr/bin/docker run -d --pid host ${KUBELET_IMAGE} --v=2\n")),
      Texts{"--v=2"});
}

TEST(ContainerHost, ConfigurationMustBeAtTheSamePathOnTheHost) {
  const std::string config = "--config=/etc/kubernetes/kubelet.yaml";
  for (const char* options :
       {"-v /etc/kubernetes:/etc/kubernetes:ro", "--volume=/etc:/etc/ -v /srv:/srv", "-v /:/",
        "--mount type=bind,src=/etc/kubernetes,dst=/etc/kubernetes"}) {
    EXPECT_EQ(words_of(container(options, config)), Texts{config}) << options;
  }
  for (const char* options :
       {"--pid host", "-v /srv/kubernetes:/etc/kubernetes", "-v /etc:/etc -v conf:/etc/kubernetes",
        "-v /etc/kube:/etc/kube", "--mount type=bind,source=/srv,target=/etc"}) {
    const auto command = command_of(container(options, config));
    ASSERT_FALSE(command) << options;
    EXPECT_EQ(command.error().kind, ErrorKind::kUnsupported) << options;
  }
}

}  // namespace
}  // namespace kubelet_sysctl
